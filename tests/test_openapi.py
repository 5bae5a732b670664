"""The description for machines holds what is there, and each example in it works."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from urllib.parse import quote

import jsonschema
import pandas as pd
import pytest

import store
from layers import frozen
from layers import picture as pictures
from routes import ADDRESSES
from routes.openapi import NOT_FOR_SCRIPTS, OPERATIONS
from situation.settings import settings
from situation.topic import topics
from situation.view import View
from tests.test_routes import get


@pytest.fixture(scope="module")
def valley(demo_home, tmp_path_factory):
    home = tmp_path_factory.mktemp("openapi") / "store"
    shutil.copytree(demo_home, home)
    return f"ducklake:sqlite:{home}"


@pytest.fixture(scope="module")
def shown(valley):
    """Show the simulated valley, which every example works on, with one kept snapshot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_STORE", valley)
        pictures.forget()
        place = store.shared(settings().active_store_url)
        now = pd.Timestamp.now("UTC")
        view = View.from_params({"topic": "groundwater", "property": "nitrate"})
        kept = frozen.keep(place, frozen.freeze(place, view, now), now)
        yield get("/api/openapi.json").json, kept.id
        pictures.forget()


@pytest.fixture(autouse=True)
def _valley(valley, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_STORE", valley)


def test_every_address_is_described_or_is_no_script_s_business():
    assert set(OPERATIONS) | set(NOT_FOR_SCRIPTS) == set(ADDRESSES)
    assert not set(OPERATIONS) & set(NOT_FOR_SCRIPTS)


@pytest.mark.parametrize("address", ["/api/openapi.json", "/ogc/openapi"])
def test_the_document_is_openapi(shown, address):
    told = get(address).json
    rules = json.loads(files("pygeoapi").joinpath("schemas/openapi/openapi-3.0.x.json").read_text("utf-8"))
    assert told["openapi"] == ("3.1.0" if address.startswith("/api") else "3.0.3")
    # Only what 3.0 and 3.1 have in common is used, so the schema of 3.0 judges both.
    jsonschema.validate(told | {"openapi": "3.0.3"}, rules)
    for schema in told["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    names = [operation["get"]["operationId"] for operation in told["paths"].values()]
    assert len(set(names)) == len(names)
    assert "http" not in json.dumps([path for path in told["paths"] if "$ref" in path])


def test_parameters_take_what_exists(shown):
    told = shown[0]["components"]["parameters"]
    assert told["topic"]["schema"]["enum"] == list(topics())
    assert "arsenic" in told["property"]["schema"]["enum"]
    assert "who_drinking_water" in told["standard"]["schema"]["enum"]
    of_a_view = set(View.__dataclass_fields__) - {"observed_property"} | {"property"}
    assert of_a_view - set(told) == set()
    used = {name for one in OPERATIONS.values() for name in one.parameters}
    assert used == set(told)


def test_what_lies_between_the_sites_is_described_where_it_can_be_asked_for():
    assert {address for address, one in OPERATIONS.items() if "surface" in one.parameters} == {
        "/api/snapshot.{ending}",
        "/embed",
    }


@pytest.mark.parametrize("address", sorted(OPERATIONS))
def test_each_example_answers_what_is_promised(shown, address):
    document, kept = shown
    operation = document["paths"][address]["get"]
    path, query = address.replace("{id}", kept), {}
    for parameter in operation["parameters"]:
        if "example" not in parameter:
            continue
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(parameter["example"]))
        else:
            query[parameter["name"]] = str(parameter["example"])
    told = get(path, **query)
    assert told.status == 200, told.body[:300]
    promised = operation["responses"]["200"]["content"]
    assert told.headers["content-type"].partition(";")[0] in promised
    assert OPERATIONS[address].media == told.headers["content-type"].partition(";")[0]


def test_what_it_says_of_errors_holds(shown):
    for address, one in OPERATIONS.items():
        if "topic" in one.parameters:
            path = address.replace("{ending}", "csv")
            told = get(path, topic="nowhere", seen="1")
            assert told.status == 400, address
            assert told.json["error"]

"""Sums on the map, over HTTP, on the command line and in the panel: the same, and of one well only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from layers import picture as pictures
from layers import trends
from layers.site import sheet
from situation.observation import flat
from situation.topic import FOLDER, read_topic
from situation.view import View
from tests.some_wells import LAT, LON, NOW, put
from tests.test_routes import get

MENU = str(Path(__file__).parent.parent / "views" / "menu.py")
RATIO = {"topic": "groundwater", "property": "nitrate_nitrite_ratio", "standard": "who_drinking_water"}
VIEW = View.from_params(RATIO)
JUNE, MAY = "2026-06-01", "2026-05-01"


def reading(site, observed, result=None, day=JUNE, limit=np.nan, kind="well", **said):
    return {
        "source_id": "upload:ana",
        "contributor": "ana",
        "monitoring_location_id": site,
        "monitoring_location_name": site[2:].title(),
        "monitoring_location_type": kind,
        "longitude": LON,
        "latitude": LAT,
        "observed_property": observed,
        "observed_property_name": observed,
        "method_speciation": {"nitrate": "as NO3", "nitrite": "as NO2"}[observed],
        "sampled_medium": "groundwater",
        "procedure_class": "laboratory",
        "phenomenon_time": pd.Timestamp(day, tz="UTC"),
        "phenomenon_time_precision": "day",
        "result": np.nan if result is None else result,
        "result_text": "",
        "censoring": "<" if result is None else "=",
        "detection_limit": limit,
        "unit": "mg/L",
        "licence": "CC0-1.0",
        "attribution": "the tests",
    } | said


ROWS = [
    # Above together, neither by itself; measured a month before in another sample too.
    reading("t:both", "nitrate", 40.0, sample_id="1"),
    reading("t:both", "nitrite", 1.5, sample_id="1"),
    reading("t:both", "nitrate", 1.0, MAY, sample_id="0"),
    # Two samples of one day: the newest readings of the store are of two samples.
    reading("t:two", "nitrate", 40.0, sample_id="a"),
    reading("t:two", "nitrite", 1.5, sample_id="b"),
    # Complete in May, only nitrate since.
    reading("t:gap", "nitrate", 10.0, MAY),
    reading("t:gap", "nitrite", limit=0.3, day=MAY),
    reading("t:gap", "nitrate", 12.0),
    # A source that took its nitrite back.
    reading("t:back", "nitrate", 10.0),
    reading("t:back", "nitrite", 9.0, result_status="rejected"),
    # Two households of one square: one measured nitrate, the other nitrite.
    reading("t:home-1", "nitrate", 49.0, kind="household_well"),
    reading("t:home-2", "nitrite", 2.9, kind="household_well"),
]
EXPECTED = {"t:both": "above", "t:two": "inconclusive", "t:gap": "below", "t:back": "inconclusive"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep one store for all of these; they only read."""
    var = tmp_path_factory.mktemp("sums")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(flat(pd.DataFrame(ROWS)), simulated=True)
    return var


@pytest.fixture(autouse=True)
def _wells(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(kept))
    pictures.forget()


def by_site(rows):
    return {
        row["monitoring_location_id"]: row["status"]
        for row in rows
        if not row["monitoring_location_id"].startswith("area-")
    }


def test_the_map_the_answers_and_the_command_say_the_same():
    from commonsight import cli

    shown = pictures.picture(VIEW, NOW)
    assert by_site(shown.sites.to_dict("records")) == EXPECTED
    assert shown.title == "Nitrate and nitrite together (sum of shares)"
    csv = get("/api/status.csv", **RATIO)
    assert by_site(csv.rows) == EXPECTED
    both = next(row for row in csv.rows if row["monitoring_location_id"] == "t:both")
    assert float(both["result"]) == pytest.approx(1.3)
    assert float(both["limit"]) == 1.0
    features = get("/api/status.geojson", **RATIO).json["features"]
    assert by_site([feature["properties"] for feature in features]) == EXPECTED
    words = ["status", "--property", RATIO["property"], "--standard", RATIO["standard"], "--json"]
    said = CliRunner().invoke(cli, words, prog_name="python -m commonsight")
    assert by_site(json.loads(said.stdout)["sites"]) == EXPECTED


def test_two_wells_of_one_square_are_never_one_sample():
    sites = pictures.picture(VIEW, NOW).sites
    squares = sites[sites["monitoring_location_id"].str.startswith("area-")]
    assert squares["status"].tolist() == ["inconclusive", "inconclusive"]
    one = sheet(VIEW.but(site=squares["monitoring_location_id"].iloc[0]), NOW)
    sums = one.latest[one.latest["observed_property"] == VIEW.observed_property]
    assert sums["status"].tolist() == ["inconclusive"]


@pytest.mark.parametrize(("site", "status"), EXPECTED.items())
def test_the_panel_says_the_same_as_the_map(site, status):
    one = sheet(VIEW.but(site=site), NOW)
    rows = one.latest.set_index("observed_property")
    if site == "t:back":  # one substance is no sum
        assert VIEW.observed_property not in rows.index
        assert rows.index.tolist() == ["nitrate"]
    else:
        assert rows.loc[VIEW.observed_property, "status"] == status


def test_a_second_tier_is_told_beside_the_limit_that_counts():
    one = sheet(VIEW.but(site="t:both", standard="us_epa_drinking_water"), NOW)
    assert (one.latest["other_limits"] == "").all()
    row = reading("t:f", "nitrate", 1.2) | {"observed_property": "fluoride", "method_speciation": None}
    put(flat(pd.DataFrame([row])), name="fluoride.csv")
    one = sheet(VIEW.but(site="t:f", standard="india_is_10500"), NOW)
    told = one.latest.iloc[0]
    assert (told["status"], told["limit"]) == ("above", 1.0)
    assert told["other_limits"] == "permissible 1.5 mg/L"


def test_trends_are_of_complete_samples_with_the_status_of_the_map():
    rows = trends.table(VIEW, NOW).rows.set_index("monitoring_location_id")
    assert rows["status"].to_dict() == {"t:both": "above", "t:gap": "below"}
    assert rows["n"].to_dict() == {"t:both": 1, "t:gap": 1}
    assert rows["unit"].eq("1").all()
    one = trends.one(VIEW.but(site="t:both"), NOW)
    assert one.readings["value"].tolist() == pytest.approx([1.3])
    assert one.readings["recorded"].tolist() == ["1.3"]


def test_the_page_shows_the_sum_of_a_site_and_its_limits():
    app = AppTest.from_file(MENU, default_timeout=60)
    for name, value in {**RATIO, "standard": "eu_drinking_water", "site": "t:both"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    latest = next(
        frame.value for frame in app.dataframe if "Substance" in frame.value and "Limit" in frame.value
    ).set_index("Substance")
    row = latest.loc["Nitrate and nitrite together (sum of shares)"]
    assert (row["Result"], row["Limit"], row["Status"]) == ("1.3", "1", "above the limit")
    assert latest.loc["Nitrite", "Status"] == "above the limit"
    assert latest.loc["Nitrate", "Status"] == "near the limit"


@pytest.mark.parametrize(
    ("observed", "unit", "result", "labels", "written"),
    [
        ("ph", "[pH]", 5.1, "outside the range", "5.1"),
        ("e_coli", "{count}/(100.mL)", 12.0, "detected", "12 per 100 mL"),
        ("arsenic", "ug/L", 12.0, None, "12 ug/L as As"),
    ],
)
def test_the_legend_and_the_marks_are_worded_for_the_limit(observed, unit, result, labels, written):
    row = reading("t:words", "nitrate", result) | {
        "observed_property": observed, "unit": unit, "method_speciation": None
    }  # fmt: skip
    put(flat(pd.DataFrame([row])), name=f"{observed}.csv")
    box = f"{LON - 0.4},{LAT - 0.4},{LON + 0.4},{LAT + 0.4}"
    answer = get("/api/cells", **RATIO | {"property": observed}, bbox=box, zoom="9").json
    assert answer["result"] == [written]
    assert answer.get("labels", {}).get("status", [None])[0] == labels


def test_a_sum_can_stand_in_the_list_of_a_topic(tmp_path):
    folder = tmp_path / "wells"
    folder.mkdir()
    usual = (FOLDER / "groundwater" / "topic.toml").read_text(encoding="utf-8")
    (folder / "topic.toml").write_text(
        usual.replace('"fluoride",', '"nitrate_nitrite_ratio",', 1), encoding="utf-8"
    )
    assert "nitrate_nitrite_ratio" in read_topic(folder).properties

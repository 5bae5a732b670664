"""A source that changes its values and suffers every fault there is ends in the store as it would without them.

Each seed is a story: epochs in which readings come, change and change back, asked for in windows that overlap.
The same story is told once without faults and once with all of them, in an order of the seed's own. What
stands in the end, and every version that ever stood, must be the same.
"""

import json
import random

import pytest
from werkzeug import Response

import store
from sensors import http as http_module
from sensors.pull import pull
from sensors.source_state import Fetches
from sensors.sources.usgs_water import SENSOR
from tests.sources_kit import PASSING, QUICK, json_answer, plain

EPOCHS, PAGES, ROWS = 4, 3, 12
BOX = (-90.0, 43.0, -89.0, 44.0)


def _repeated_next(said, base):
    links = [{"rel": "next", "href": f"{base}collections/{said['name']}/items?cursor={said['page']}"}]
    return {**said, "links": links}


def _other_host(said, base):
    return {**said, "links": [{"rel": "next", "href": "http://192.0.2.9/collections/items?cursor=1"}]}


def _lost_next(said, base):
    return {**said, "links": []}


def _nothing(said, base):
    return {**said, "features": [], "numberReturned": 0, "links": []}


def _half(said, base):
    return {**said, "features": said["features"][: len(said["features"]) // 2]}


def _no_features(said, base):
    return {"type": "FeatureCollection", "numberMatched": said["numberMatched"]}


#: Whole answers in JSON that are wrong in what they say.
LIES = {
    "the same next again": _repeated_next,
    "next to another host": _other_host,
    "next left out": _lost_next,
    "no rows in 200": _nothing,
    "fewer rows than stated": _half,
    "another shape": _no_features,
}


class Story:
    """A source and its history; faults are spent one by one on its answers."""

    def __init__(self, seed, base, faults):
        self.rng = random.Random(seed)
        self.base, self.epoch = base, 0
        self.values = []
        held = {n: 10 + n for n in range(PAGES * ROWS * 2)}
        first = dict(held)
        for _ in range(EPOCHS):
            self.values.append(dict(held))
            for n in self.rng.sample(sorted(held), 15):
                held[n] = first[n] if held[n] != first[n] and self.rng.random() < 0.6 else held[n] + 1
        self.faults = list(faults)
        self.rng.shuffle(self.faults)
        self.met = []

    def numbers(self):
        start = self.epoch * PAGES * ROWS // 4
        return range(start, start + PAGES * ROWS)

    def answer(self, request):
        name = request.path.split("/")[-2]
        page = int(request.args.get("cursor", 0))
        said = self.page(name, page)
        if self.faults and self.rng.random() < 0.55:
            fault = self.faults.pop()
            self.met.append(fault if isinstance(fault, str) else fault.name)
            if isinstance(fault, str):
                return json_answer(LIES[fault](said, self.base))
            return fault.make(json.dumps(said).encode(), "application/json")
        return json_answer(said)

    def page(self, name, page):
        if name == "monitoring-locations":
            numbers, total = range(4), 4
        else:
            total = len(self.numbers())
            numbers = self.numbers()[page * ROWS : (page + 1) * ROWS]
        features = [self.feature(name, n) for n in numbers]
        links = []
        if name != "monitoring-locations" and page < PAGES - 1:
            links = [{"rel": "next", "href": f"{self.base}collections/{name}/items?cursor={page + 1}"}]
        return {"type": "FeatureCollection", "features": features, "numberReturned": len(features),
                "numberMatched": total, "links": links, "name": name, "page": page}  # fmt: skip

    def feature(self, name, n):
        site = f"USGS-{n % 4:08d}"
        if name == "monitoring-locations":
            said = {"monitoring_location_name": f"WELL {n}", "site_type": "Well"}
            return {"type": "Feature", "id": site, "properties": said,
                    "geometry": {"type": "Point", "coordinates": [-89.5 - n / 100, 43.5]}}  # fmt: skip
        said = {"monitoring_location_id": site, "field_measurements_series_id": f"s{n % 4}", "field_visit_id": f"v{n}",
                "parameter_code": "72019", "time": f"2024-{1 + n // 28:02d}-{1 + n % 28:02d}",
                "time_of_day": "10:30:00+00:00", "value": f"{self.values[self.epoch][n]}.50", "unit_of_measure": "ft",
                "approval_status": "Approved", "qualifier": None}  # fmt: skip
        return {"type": "Feature", "id": f"{self.rng.random()}", "properties": said, "geometry": None}


def told(httpserver, home, seed, faults):
    """Live through a story; gives what stands, every version of it, the faults met, and the reports."""
    httpserver.clear()
    base = httpserver.url_for("/")
    story = Story(seed, base, faults)
    for name in ("monitoring-locations", "field-measurements"):
        httpserver.expect_request(f"/collections/{name}/items").respond_with_handler(story.answer)
    kept = store.open_store(f"duckdb:{home}")
    ask = SENSOR.ask(
        base_url=base, bbox=BOX, topic="groundwater", options={"collections": "field-measurements"}
    )
    for story.epoch in range(EPOCHS):
        for _ in range(60):
            http_module._PACER = http_module._Pacer()
            report = pull(
                SENSOR, ask, kept, guarded=False, caps=QUICK, sleep=lambda s: None, seed=seed, force=True
            )
            if report.outcome == "complete":
                break
            assert report.outcome in ("failed", "truncated", "suspect", "empty", "key missing"), report
            assert not (report.outcome == "empty" and kept.history()), report.said
        else:
            pytest.fail(f"It never came through: {report.said}")
    standing = kept.observations(review="all")
    ids = sorted(standing["observation_id"])
    assert len(ids) == len(set(ids))
    now = dict(zip(standing["observation_id"], standing["result_text"], strict=True))
    versions = {name: kept.versions(name)["result_text"].tolist() for name in ids}
    truth = {n: story.values[e][n] for e in range(EPOCHS) for n in range(
        e * PAGES * ROWS // 4, e * PAGES * ROWS // 4 + PAGES * ROWS)}  # fmt: skip
    assert sorted(now.values()) == sorted(f"{value}.50" for value in truth.values())
    reports = Fetches(kept.home).all()
    kept.close()
    return now, versions, story, reports


def live_through(httpserver, tmp_path, seed):
    faults = [*PASSING, *LIES]
    assert len(faults) >= 15
    calm = told(httpserver, tmp_path / "calm", seed, [])
    wild = told(httpserver, tmp_path / "wild", seed, faults)
    assert wild[0] == calm[0]
    assert wild[1] == calm[1]
    assert len(wild[2].met) >= 12, "the faults must have been met"
    assert [r.outcome for r in calm[3]] == ["complete"] * EPOCHS
    good = [r for r in wild[3] if r.outcome == "complete"]
    assert len(good) == EPOCHS
    # Whatever was not complete says so, and why.
    assert all(r.said and not r.complete for r in wild[3] if r.outcome not in ("complete", "empty"))


@pytest.mark.parametrize("seed", [1])
def test_a_source_with_every_fault_ends_as_one_without(httpserver, tmp_path, seed):
    live_through(httpserver, tmp_path, seed)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(100, 150))
def test_fifty_stories_with_every_fault_end_as_without(httpserver, tmp_path, seed):
    live_through(httpserver, tmp_path, seed)


def test_the_faults_are_faults():
    body = json.dumps({"features": [{"id": n} for n in range(200)]}).encode()
    for fault in PASSING:
        response = fault.make(body, "application/json")
        assert isinstance(response, Response)
        whole = response.status_code == 200 and not response.is_streamed and response.get_data() == body
        assert not whole, fault.name
    assert plain(body, "application/json").get_data() == body

"""The demonstration: made by a script that stays, from a published solution, and simulated in every row."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from situation.demo import ATTRIBUTION, FOLDER, demo_files, demo_tables
from situation.observation import validate
from situation.standard import standards
from situation.status import assess
from situation.topic import topics

NOW = pd.Timestamp("2026-11-21", tz="UTC")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("demo_make", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_make"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["demo_make"]


@pytest.fixture(scope="module")
def tables():
    return demo_tables()


def test_the_files_are_what_the_script_makes(script, tmp_path):
    script.make(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in (".csv", ".geojson")}
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []
    assert sum(map(len, kept.values())) < 2_000_000


# Ogata and Banks 1961, equation 11, for a Peclet number large enough that its second term is small: at the
# front (x = v t) the concentration is half of that at the source and a little more.
def test_the_plume_obeys_the_published_solution(script):
    assert script.ogata_banks(1_000, 10, 100, 0.5) == pytest.approx(0.5, abs=0.02)
    assert script.ogata_banks(1e-6, 10, 100, 50) == pytest.approx(1, abs=1e-3)
    assert script.ogata_banks(5_000, 10, 100, 10) < 1e-6
    x, t, v, a = 700.0, 10.0, 100.0, 20.0
    d = a * v
    step_t, step_x = 1e-3, 0.5
    c = script.ogata_banks
    rate = (c(x, t + step_t, v, a) - c(x, t - step_t, v, a)) / (2 * step_t)
    slope = (c(x + step_x, t, v, a) - c(x - step_x, t, v, a)) / (2 * step_x)
    bend = (c(x + step_x, t, v, a) - 2 * c(x, t, v, a) + c(x - step_x, t, v, a)) / step_x**2
    assert rate == pytest.approx(d * bend - v * slope, rel=1e-3)


def test_the_plume_is_widest_on_its_axis_and_moves(script):
    yard = script.YARD
    near, far = (script.plume(yard.x + d, yard.y, 2026.8) for d in (1_000, 6_500))
    assert near > 0.9 > far
    assert script.plume(yard.x + 5_000, yard.y, 2020.8) < script.plume(yard.x + 5_000, yard.y, 2026.8)
    assert script.plume(yard.x + 2_000, yard.y + 3_000, 2026.8) < 1e-6
    assert script.plume(yard.x - 10, yard.y, 2026.8) == 0
    assert math.isfinite(script.plume(yard.x + 25_000, yard.y, 2500.0))


@pytest.mark.parametrize("topic", ["groundwater", "air"])
def test_every_row_is_valid_and_says_that_it_is_simulated(tables, topic):
    table = validate(tables[topic])
    assert table["monitoring_location_name"].str.startswith("Simulated").all()
    assert table["procedure"].str.startswith("Simulated").all()
    assert table["contributor"].str.startswith("simulated").all()
    assert set(table["attribution"]) == {ATTRIBUTION}
    assert set(table["licence"]) == {"CC0-1.0"}
    assert table["observed_property"].notna().all()
    assert table["unit"].notna().all()
    assert table["observation_id"].is_unique
    west, south, east, north = topics()[topic].shown(simulated=True).area
    assert table["longitude"].between(west, east).all()
    assert table["latitude"].between(south, north).all()


def test_there_are_about_eighty_places_six_years_and_eight_properties(tables):
    table = tables["groundwater"]
    assert 75 <= table["monitoring_location_id"].nunique() <= 85
    assert table["observed_property"].nunique() == 8
    assert set(table["observed_property"]) == set(topics()["groundwater"].properties)
    years = (table["phenomenon_time"].max() - table["phenomenon_time"].min()).days / 365.25
    assert years == pytest.approx(6, abs=0.1)
    assert set(tables["air"]["observed_property"]) == set(topics()["air"].properties)


def test_it_has_what_makes_real_data_hard(tables):
    table = tables["groundwater"]
    assert {"=", "<", ">"} == set(table["censoring"])
    assert {"strip", "laboratory", "meter"} == set(table["procedure_class"])
    assert table["replicate"].notna().sum() > 100
    assert (
        table.loc[
            table["observed_property"].eq("arsenic") & table["censoring"].eq("<"), "detection_limit"
        ].nunique()
        >= 3
    )
    household = table["monitoring_location_type"].eq("household_well")
    assert set(table.loc[household, "position_rule"]) == {"blurred"}
    assert set(table.loc[~household, "position_rule"]) == {"exact"}
    magpie = table["contributor"].eq("simulated-magpie")
    assert table.loc[magpie, "method_speciation"].isna().all()
    strips = table[table["procedure_class"].eq("strip")].sort_values("phenomenon_time")
    same = strips.groupby(["contributor", "monitoring_location_id"])["result_text"].apply(
        lambda texts: float(np.mean(texts.to_numpy()[1:] == texts.to_numpy()[:-1]))
    )
    assert same.groupby("contributor").mean().idxmax() == "simulated-heron"


def _picture(table, observed, day):
    until = pd.Timestamp(day, tz="UTC")
    table = table[table["phenomenon_time"] <= until].sort_values("phenomenon_time")
    key = [
        "monitoring_location_id",
        "observed_property",
        "sampled_medium",
        "sample_fraction",
        "method_speciation",
    ]
    latest = table.drop_duplicates([*key, "procedure_class"], keep="last")
    topic = topics()["groundwater"]
    return assess(latest, standards()["who_drinking_water"], observed, topic=topic, now=until)


def test_the_map_has_something_to_show(tables):
    then, now = (_picture(tables["groundwater"], "nitrate", day) for day in ("2021-12-31", "2026-11-21"))
    assert now["status"].eq("above").sum() > then["status"].eq("above").sum() >= 5
    assert {"above", "below", "inconclusive"} <= set(now["status"])
    assert "stale" in set(now["freshness"])
    arsenic = _picture(tables["groundwater"], "arsenic", "2021-12-31")
    assert arsenic["status"].eq("inconclusive").sum() > 10


def test_each_file_is_a_batch_with_its_original():
    for file in demo_files():
        assert file.original.is_file()
        assert file.rows_in == len(file.observations)
        assert file.source_id.startswith("simulated:")


def test_the_valley_has_a_river_roads_and_villages_all_invented():
    shapes = json.loads((FOLDER / "valley.geojson").read_text(encoding="utf-8"))["features"]
    assert {shape["properties"]["kind"] for shape in shapes} >= {"river", "road", "village"}
    assert all("simulated" in shape["properties"]["name"] for shape in shapes)
    assert Path(FOLDER / "valley.geojson").stat().st_size < 50_000

"""Topics: one folder each, and a mistake in one is a sentence that spoils no other."""

from __future__ import annotations

import pytest

from situation import quality
from situation.errors import ChoiceError, DataFileError
from situation.properties import PROPERTIES
from situation.standard import standards
from situation.topic import FOLDER, broken_topics, read_topic, topic_named, topics

every_topic = pytest.mark.parametrize(
    "folder", sorted(p for p in FOLDER.iterdir() if p.is_dir()), ids=lambda p: p.name
)


@every_topic
def test_every_topic_names_what_exists(folder):
    topic = read_topic(folder)
    assert set(topic.properties) <= set(PROPERTIES)
    assert topic.property in topic.properties
    assert set(topic.standards) <= set(standards())
    assert topic.title
    assert topic.question.endswith("?")
    assert len(topic.about) > 200
    # Nobody's address is made up: the group that runs the map fills it in.
    assert topic.contact == ""
    if topic.standard:
        assert standards()[topic.standard].limit(topic.property) is not None


def test_two_topics_come_along_and_one_is_not_about_water():
    assert list(topics())[0] == "groundwater"
    assert broken_topics() == {}
    assert {PROPERTIES[key].medium for key in topics()["air"].properties} == {"air"}


GOOD = """
title = "Dust on our street"
question = "Is it dusty?"
area = [38.9, -4.7, 39.6, -4.1]
properties = ["pm10"]
"""


def written(tmp_path, text):
    folder = tmp_path / "dust"
    folder.mkdir(exist_ok=True)
    (folder / "topic.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_new_topic_is_one_folder_and_needs_four_lines(tmp_path):
    topic = read_topic(written(tmp_path, GOOD))
    assert (topic.key, topic.property, topic.standard, topic.grid_m) == ("dust", "pm10", None, 1000)
    assert list(topics(tmp_path)) == ["dust"]


def test_a_topic_may_name_areas_and_how_far_it_looks_ahead(tmp_path):
    more = """
[trend]
horizon_years = 25

[[areas]]
title = "Districts"
file = "Admin.gpkg"
name = "DISTRICT"

[[areas]]
title = "Communes"
file = "Admin.gpkg"
name = "COMMUNE"
"""
    topic = read_topic(written(tmp_path, GOOD + more))
    assert topic.horizon_years == 25
    assert [(one.key, one.path.name) for one in topic.areas] == [
        ("admin", "Admin.gpkg"),
        ("admin_commune", "Admin.gpkg"),
    ]
    plain = read_topic(written(tmp_path, GOOD))
    assert (plain.horizon_years, plain.areas) == (10, ())


def test_a_change_in_the_file_shows_at_once(tmp_path):
    import os

    folder = written(tmp_path, GOOD)
    assert topics(tmp_path)["dust"].title == "Dust on our street"
    written(tmp_path, GOOD.replace("our street", "your street"))
    os.utime(folder / "topic.toml", ns=(1, 1))
    assert topics(tmp_path)["dust"].title == "Dust on your street"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("title", "titel", "no line title"),
        ("question", "questoin", "a line 'questoin' that no topic knows; it may have title, question"),
        ('"Dust on our street"', "5", "title takes text in quotes, not 5"),
        (
            "[38.9, -4.7, 39.6, -4.1]",
            "[38.9, -4.7]",
            r"area takes four numbers, \[west, south, east, north\]",
        ),
        ("[38.9, -4.7, 39.6, -4.1]", "[39.6, -4.7, 38.9, -4.1]", "west less than east"),
        ("[38.9, -4.7, 39.6, -4.1]", "[38.9, -4.7, 39.6, 441]", "in degrees"),
        ('["pm10"]', '["dust"]', "properties has dust; it takes keys"),
        ('["pm10"]', "[]", "properties has nothing"),
        ('["pm10"]', '["pm10"]\nproperty = "pm25"', "'pm25' is not one of properties"),
        ('["pm10"]', '["pm10"]\nstandards = ["ours"]', "no standard ours; data/standards has"),
        ('["pm10"]', '["pm10"]\nnear_share = 75', "near_share is 75; it takes a share"),
        ('["pm10"]', '["pm10"]\ntime_zone = "Mars/Base"', "time_zone 'Mars/Base' is not a name like"),
        ('["pm10"]', '["pm10"]\ncrs = ["UTM 37S"]', "crs takes codes like"),
        (
            '["pm10"]',
            '["pm10"]\n[windows]\nstale_days = "a year"',
            "stale_days is 'a year'; it takes a whole number",
        ),
        ('["pm10"]', '["pm10"]\n[privacy]\ngrid_m = -5', "privacy.grid_m is -5; it takes metres"),
        (
            '["pm10"]',
            '["pm10"]\n[privacy.site_types]\nwell = "secret"',
            "one of exact, blurred, area, withheld",
        ),
        ('["pm10"]', '["pm10"]\n[privacy]\nk = 0', "privacy.k is 0; it takes a whole number of sites"),
        ('["pm10"]', '["pm10"]\n[privacy]\nk = true', "privacy.k is True; it takes a whole number of sites"),
        (
            '["pm10"]',
            '["pm10"]\n[privacy]\nK = 3',
            r"\[privacy\] has K; it takes grid_m, area_m, k, site_types",
        ),
        ('["pm10"]', '["pm10"]\n[privacy]\ngrid_m = 2000\narea_m = 500', "area_m is 500, less than grid_m"),
        ('"Is it dusty?"', '"Is it dusty?', "is not TOML"),
        ('["pm10"]', '["pm10"]\n[trend]\nhorizon_years = 0', "trend.horizon_years is 0; it takes years"),
        ('["pm10"]', '["pm10"]\n[trend]\nhorizon = 5', r"\[trend\] has horizon; it takes horizon_years"),
        ('["pm10"]', '["pm10"]\nareas = ["a.shp"]', r"\[\[areas\]\] takes title, file and name in quotes"),
        (
            '["pm10"]',
            '["pm10"]\n[[areas]]\ntitle = "A"\nfile = "../a.shp"\nname = "N"',
            "names the file '../a.shp'; it takes the name of a file in dust/",
        ),
        (
            '["pm10"]',
            '["pm10"]\n' + '[[areas]]\ntitle = "A"\nfile = "a.shp"\nname = "N"\n' * 2,
            "names a.shp twice with the same name column",
        ),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_file(tmp_path, old, new, sentence):
    with pytest.raises(DataFileError, match=sentence) as wrong:
        read_topic(written(tmp_path, GOOD.replace(old, new, 1)))
    assert str(wrong.value).startswith("dust/topic.toml")
    assert topics(tmp_path) == {}
    assert list(broken_topics(tmp_path)) == ["dust"]


def test_a_folder_without_its_file_and_an_unknown_name_are_sentences(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFileError, match="no file topic.toml"):
        read_topic(tmp_path / "empty")
    with pytest.raises(ChoiceError, match="groundwater"):
        topic_named("nonsense")


# -- checks of place and time when readings arrive --------------------------------------------------


@pytest.mark.parametrize(
    ("lon", "lat", "found"),
    [
        (39.2, -4.4, []),
        (0.0, 0.0, ["null_island"]),
        (-4.4, 39.2, ["swapped"]),
        (39.2, 4.4, ["sign"]),
        (-39.2, -4.4, ["sign"]),
        (7.0, 52.0, ["outside"]),
        (548785.0, 9523807.0, ["impossible_place"]),
        (float("nan"), 1.0, ["no_place"]),
    ],
)
def test_a_place_is_fine_or_gets_one_finding(tmp_path, lon, lat, found):
    import pandas as pd

    now = pd.Timestamp("2026-11-21", tz="UTC")
    table = pd.DataFrame({"longitude": [lon], "latitude": [lat], "phenomenon_time": [now], "depth_m": [5.0]})
    topic = read_topic(written(tmp_path, GOOD))
    assert quality.check(table, topic, now)["check"].tolist() == found


def test_odd_times_and_depths_are_flagged_and_never_dropped():
    import pandas as pd

    now = pd.Timestamp("2026-11-21", tz="UTC")
    times = [pd.Timestamp(t, tz="UTC") for t in ("2026-11-21", "2027-01-01", "1899-01-01")] + [pd.NaT]
    table = pd.DataFrame({"phenomenon_time": times, "depth_m": [-1.0, 1.0, float("nan"), 2.0]})
    found = quality.check(table, None, now)
    assert dict(zip(found["row"].astype(str) + found["check"], found["kind"], strict=True)) == {
        "0above_ground": "flag",
        "1future": "flag",
        "2long_ago": "flag",
        "3no_time": "flag",
    }
    assert len(table) == 4

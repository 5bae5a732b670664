"""A household's well stays hidden whichever file said that it is one, and in whatever order they came."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pyarrow
import pytest

from layers import frozen
from sensors import intake
from situation import privacy
from situation.observation import ARROW
from situation.topic import topics
from situation.view import View
from store import open_store
from tests.some_wells import readings

PLACE = (7.204113, 1.178902)
TYPED = f"site,type,lat,lon,date,Arsenic (ug/L)\nH1,household well,{PLACE[0]},{PLACE[1]},2026-03-04,12\n"
PLAIN = f"site,lat,lon,date,Chloride (mg/L)\nH1,{PLACE[0]},{PLACE[1]},2026-04-04,30\n"
READINGS = f"site,lat,lon,date,Arsenic (ug/L)\nH1,{PLACE[0]},{PLACE[1]},2026-03-04,12\n"
SITES = f"site,name,type,lat,lon\nH1,Mill lane 3,household well,{PLACE[0]},{PLACE[1]}\n"


@pytest.fixture
def place(tmp_path):
    return open_store(f"duckdb:{tmp_path / 'wells.duckdb'}")


def send(place, tmp_path, *texts):
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{len(list(tmp_path.glob('*.csv')))}-{number}.csv")
        paths[-1].write_text(text, encoding="utf-8")
    with intake.check(paths, topic="groundwater", store=place, guarded=False) as checked:
        assert checked.questions == []
        intake.submit(place, checked, accept=True)


def shown(place):
    topic = topics()["groundwater"]
    tables = place.latest(topic="groundwater"), place.observations(), place.latest(as_of=place.version())
    return [privacy.public(table, topic) for table in tables]


def is_hidden(place):
    for table in shown(place):
        # One well alone in its district has no place at all.
        assert set(table["position_rule"]) == {"withheld"}
        assert table["longitude"].isna().all()
        assert table["latitude"].isna().all()
        assert not table["monitoring_location_name"].astype("str").str.contains("H1|Mill").any()
    return True


def test_the_kind_of_a_site_is_taken_from_its_table_even_where_rows_bring_coordinates(place, tmp_path):
    send(place, tmp_path, READINGS, SITES)
    assert is_hidden(place)


@pytest.mark.parametrize("files", [(TYPED, PLAIN), (PLAIN, TYPED)], ids=["said first", "said later"])
def test_a_file_that_does_not_say_what_the_well_is_does_not_expose_it(place, tmp_path, files):
    for text in files:
        send(place, tmp_path, text)
    assert len(place.observations()) == 2
    assert is_hidden(place)


def test_the_same_readings_sent_again_with_the_kind_of_well_hide_it(place, tmp_path):
    send(place, tmp_path, READINGS)
    send(place, tmp_path, TYPED)
    assert len(place.sites()) == 1
    assert is_hidden(place)


def test_a_withdrawn_file_goes_on_protecting_the_well_that_it_named(place, tmp_path):
    send(place, tmp_path, TYPED)
    send(place, tmp_path, PLAIN)
    place.withdraw(1, "operator", operator=True)
    assert len(place.observations()) == 1
    assert is_hidden(place)


@pytest.mark.parametrize(
    "kind",
    [
        "household wells",
        "Private borehole",
        "dug well - household",
        "Puits privé",
        "pozo doméstico",
        "Hausbrunnen",
    ],
)
def test_every_way_to_say_that_a_well_is_somebodys_hides_it(place, tmp_path, kind):
    send(place, tmp_path, TYPED.replace("household well", kind))
    assert is_hidden(place)


def test_who_measured_their_own_well_is_not_credited_beside_it():
    from situation.observation import flat

    table = flat(
        {
            "source_id": ["upload:Otieno"],
            "monitoring_location_id": ["upload:Otieno:H1"],
            "observed_property_name": ["Arsenic"],
            "phenomenon_time": pd.to_datetime(["2026-03-04"], utc=True),
            "result": [12.0],
            "result_text": ["12"],
            "position_rule": ["blurred"],
            "contributor": ["Otieno"],
            "attribution": ["Otieno"],
            "longitude": [PLACE[1]],
            "latitude": [PLACE[0]],
        }
    )
    told = privacy.public(table, topics()["groundwater"])
    assert "Otieno" not in told.to_csv()


# ---- nobody alone in a cell ---------------------------------------------------------------------

#: Three households of one square kilometre, and one some kilometres away in the same district.
HOMES = {
    "a": (127.1811, -30.6211),
    "b": (127.1752, -30.6163),
    "c": (127.1812, -30.6154),
    "far": (127.1413, -30.6064),
}


def wells(*names, **said):
    rows = [(f"h:{name}", name, "household_well", *HOMES[name], 12.0, "2026-05-01") for name in names]
    return readings(rows).assign(**said)


def keep(place, table, name, accept=True):
    return place.add(
        name.encode(),
        pyarrow.Table.from_pandas(table, schema=ARROW, preserve_index=False),
        filename=name,
        source_id="upload:ana",
        topic="groundwater",
        rows_in=len(table),
        accept=accept,
    )


def rule_of(place, site="h:a", **asked):
    table = place.latest(topic="groundwater", **asked)
    (rule,) = set(table.loc[table["monitoring_location_id"] == site, "position_rule"])
    with place.batches_reader(topic="groundwater", site=site, **asked) as reader:
        assert set(reader.read_all()["position_rule"].to_pylist()) == {rule}
    return rule


def test_no_property_and_no_period_shows_a_well_in_another_cell(place):
    keep(place, wells("a", observed_property="arsenic", observed_property_name="As"), "arsenic")
    keep(place, wells("b", "c"), "nitrate")
    keep(place, wells("far", phenomenon_time=pd.Timestamp("2020-01-01", tz="UTC")), "old")
    assert rule_of(place, observed_property="arsenic") == "blurred"
    assert rule_of(place, "h:b", observed_property="nitrate") == "blurred"
    assert rule_of(place, "h:b", since=pd.Timestamp("2026-01-01", tz="UTC")) == "blurred"
    for asked in ({}, {"until": pd.Timestamp("2021-01-01", tz="UTC")}, {"observed_property": "nitrate"}):
        assert rule_of(place, "h:far", **asked) == "area"  # four in the district, whatever is asked


def test_a_picture_of_the_past_says_the_same_for_ever_and_is_never_finer_than_now(place):
    versions = [keep(place, wells(name), name).data_version for name in ("a", "b", "far", "c")]
    told = [rule_of(place, as_of=version) for version in versions]
    assert told == ["withheld", "withheld", "area", "blurred"]
    place.withdraw(versions[1], "operator", operator=True)
    assert [rule_of(place, as_of=version) for version in versions] == told
    assert rule_of(place) == "blurred"  # what was shown once is not hidden by taking a file back


def test_a_cell_cannot_be_filled_by_sending_wells_beside_a_neighbours(place):
    keep(place, wells("a"), "true")
    sent = keep(place, wells("b", "c"), "made up", accept=False)
    assert rule_of(place) == "withheld"
    assert rule_of(place, review="all") == "withheld"
    assert rule_of(place, "h:b", batch=sent.batch) == "blurred"  # the sender sees their own by their squares
    place.accept(sent.batch, "operator")
    assert rule_of(place) == "blurred"


def test_linked_wells_count_once(place):
    keep(place, wells("a", "b", "c"), "all")
    assert rule_of(place) == "blurred"
    place.link_site("h:c", "h:b", "operator")
    assert rule_of(place) == "withheld"


def test_a_kept_snapshot_hides_as_strictly_as_the_topic_does_now(place, monkeypatch):
    keep(place, wells("a", "b", "c", "far"), "all")
    view = View.from_params({"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water"})
    now = pd.Timestamp.now("UTC")
    shot = frozen.keep(place, frozen.freeze(place, view, now), now)
    counts = {"blurred": 3, "area": 1}
    assert shot.sites["position_rule"].value_counts().to_dict() == counts
    assert frozen.reopen(place, shot.id).sites.equals(shot.sites)
    stricter = dataclasses.replace(topics()["groundwater"], k=4)
    monkeypatch.setattr(frozen, "topics", lambda: {"groundwater": stricter})
    again = frozen.reopen(place, shot.id).sites
    assert set(again["position_rule"]) == {"area"}
    assert again["longitude"].nunique() == 1
    monkeypatch.setattr(frozen, "topics", lambda: {"groundwater": dataclasses.replace(stricter, k=5)})
    assert frozen.reopen(place, shot.id).sites["longitude"].isna().all()


def test_a_well_has_one_place_for_all_its_readings(place):
    lon, lat = HOMES["a"]
    row = lat // (1000 / 111_320) * (1000 / 111_320)
    near = wells("b", "c", "far")
    keep(place, pd.concat([near, wells("a", latitude=row + 3e-5)]), "first")
    keep(
        place, wells("a", latitude=row - 3e-5, phenomenon_time=pd.Timestamp("2026-06-01", tz="UTC")), "second"
    )
    topic = topics()["groundwater"]
    for table in (place.observations(site="h:a"), place.latest(topic="groundwater"), place.latest(as_of=1)):
        mine = table[table["monitoring_location_id"] == "h:a"]
        assert mine["latitude"].tolist() == [row + 3e-5] * len(mine)
        assert privacy.public(mine, topic)["latitude"].nunique() == 1

"""A household's well stays hidden whichever file said that it is one, and in whatever order they came."""

from __future__ import annotations

import pytest

from sensors import intake
from situation import privacy
from situation.topic import topics
from store import open_store

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
        assert table["longitude"].isna().all() and table["latitude"].isna().all()
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
    import pandas as pd

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

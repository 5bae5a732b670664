"""Two spellings of one well are proposed as one, and nothing else is."""

from __future__ import annotations

import pandas as pd
import pytest

from sensors.same_place import plain_name, propose

METRE = 1 / 111_320


def sites(*rows):
    """Make a table of sites; one-letter ids come from sources of their own, as two volunteers' do."""
    rows = [(f"upload:{row[0]}:{row[1]}" if len(row[0]) == 1 else row[0], *row[1:]) for row in rows]
    names = ["monitoring_location_id", "monitoring_location_name", "longitude", "latitude"]
    return pd.DataFrame(rows, columns=names).astype({"longitude": "float64", "latitude": "float64"})


NONE = sites()


def pairs(found):
    return [(_letter(pair.site), _letter(pair.same_as)) for pair in found]


def _letter(site):
    return site.split(":")[1] if site.count(":") == 2 else site


@pytest.mark.parametrize("name", ["well-3", "WELL 3 ", "Well_03", "well  3", "Ｗell 3"])
def test_a_spelling_of_a_name_nearby_is_proposed(name):
    table = sites(("a", "Well 3", 0.0, 0.0), ("b", name, 20 * METRE, 0.0))
    assert pairs(propose(table, NONE)) == [("b", "a")]


def test_three_spellings_are_each_compared_with_the_first():
    table = sites(("a", "Well 3", 0, 0), ("b", "well-3", 10 * METRE, 0), ("c", "WELL 3 ", 20 * METRE, 0))
    found = propose(table, NONE)
    assert pairs(found) == [("b", "a"), ("c", "a")]
    assert len({pair.question_id for pair in found}) == 2


def test_a_known_site_is_what_the_new_one_is_compared_with():
    found = propose(sites(("n", "WELL 3", 20 * METRE, 0)), sites(("o", "Well 3", 0, 0)))
    assert pairs(found) == [("n", "o")]
    assert found[0].distance_m == pytest.approx(20, abs=0.5)


@pytest.mark.parametrize(
    ("name", "metres"),
    [("Well 3", 2000), ("Well 4", 5), ("Well 3A", 5), ("Village pump", 5), (None, 5)],
    ids=["the same name in another village", "its neighbour", "another depth", "another name", "no name"],
)
def test_what_may_well_be_two_places_is_not_asked_about(name, metres):
    table = sites(("a", "Well 3", 0, 0), ("b", name, metres * METRE, 0))
    assert propose(table, NONE) == []


def test_sites_that_their_source_numbered_apart_are_two_places():
    table = sites(("USGS-1", "USGS 149", 0, 0), ("USGS-2", "USGS 149", 0, 0), ("USGS-3", "Usgs 149", 0, 0))
    assert propose(table, NONE) == []
    volunteer = sites(("upload:anna:usgs-149", None, 10 * METRE, 0))
    assert pairs(propose(volunteer, table)) == [("anna", "USGS-1")]


def test_a_site_that_has_only_an_id_is_known_by_it():
    table = sites(("upload:Well 3", None, 0, 0), ("upload:anna:well-3", None, 10 * METRE, 0))
    (pair,) = propose(table, NONE)
    assert (pair.site_name, pair.same_as_name) == ("well-3", "Well 3")


def test_one_letter_off_and_near_is_asked_about():
    table = sites(("a", "Kwale school", 0, 0), ("b", "Kwale scool", 30 * METRE, 0))
    assert pairs(propose(table, NONE)) == [("b", "a")]


def test_a_site_of_that_name_without_a_place_is_asked_about_without_a_distance():
    table = sites(("a", "Well 3", 0, 0), ("b", "well-3", None, None))
    assert propose(table, NONE)[0].distance_m is None


def test_what_was_decided_is_not_asked_again():
    known, new = sites(("a", "Well 3", 0, 0)), sites(("b", "well-3", METRE, 0))
    a, b = "upload:a:Well 3", "upload:b:well-3"
    assert propose(new, known, decided=[frozenset((a, b))]) == []
    assert propose(new, known, links={b: a}) == []
    assert propose(known, known) == []


def test_the_name_of_a_question_stays_and_fits_into_toml():
    table = sites(("a", "Well 3", 0, 0), ("b", "Brunnen «3» = x\n", METRE, 0), ("c", "well-3", METRE, 0))
    first, again = propose(table, NONE), propose(table, NONE)
    assert [pair.question_id for pair in first] == [pair.question_id for pair in again]
    assert all(pair.question_id.replace("-", "").isalnum() for pair in first)


@pytest.mark.parametrize("name", ["कुआँ 3", "بئر ٣", "井戸3"])
def test_names_in_any_script_keep_their_letters(name):
    assert len(plain_name(name)) >= 3


def test_seventy_thousand_sites_are_compared_in_seconds():
    count = 70_000
    names = [f"Site {n}" for n in range(count)]
    table = pd.DataFrame(
        {
            "monitoring_location_id": names,
            "monitoring_location_name": names,
            "longitude": [n % 700 * 0.01 for n in range(count)],
            "latitude": [n // 700 * 0.01 for n in range(count)],
        }
    )
    assert propose(table, NONE) == []


def test_sites_that_their_source_numbers_itself_are_never_proposed_as_one():
    ports = sites(
        ("USGS-433227113471401", "USGS 137A", 43.54, -113.78),
        ("USGS-433227113471402", "USGS 137A", 43.54, -113.78),
    )
    assert propose(ports, ports.iloc[:0]) == []


def test_sites_numbered_by_different_people_are_proposed_as_one():
    one = sites(("upload:anna:W-17", "Mill well", 43.54, -113.78))
    other = sites(("upload:ben:4", "mill well", 43.5401, -113.78))
    assert [pair.same_as for pair in propose(other, one)] == ["upload:anna:W-17"]

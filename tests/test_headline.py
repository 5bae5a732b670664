"""The headline: every number in it is counted from the table beside it."""

from __future__ import annotations

import pandas as pd

from situation.headline import changes, headline
from situation.standard import standards

WHO = standards()["who_drinking_water"]
T1, T2 = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2026-06-01", tz="UTC")


def picture(**sites):
    rows = [(name, *said) for name, said in sites.items()]
    return pd.DataFrame(rows, columns=["monitoring_location_id", "status", "freshness"]).assign(
        phenomenon_time=[T2 if row[2] == "current" else T1 for row in rows]
    )


FOUR = picture(
    a=("above", "current"),
    b=("above", "stale"),
    c=("inconclusive", "stale"),
    d=("below", "current"),
)


def test_the_four_numbers_are_counted_and_no_site_twice():
    made = headline(FOUR, WHO, "nitrate")
    assert (made.sites, made.above, made.unsure, made.newest) == (4, 2, 2, T2)
    assert (made.inconclusive, made.stale, made.stale_above, made.below) == (1, 2, 1, 1)


def test_the_sentence_says_limit_standard_counts_and_what_is_unknown():
    assert headline(FOUR, WHO, "nitrate").sentence == (
        "Nitrate is above the limit of 50 mg/L as NO3 (WHO guidelines for drinking-water quality (2022)) at 2 of 4 "
        "sites; 1 cannot be judged and 2 newest readings are old."
    )


def test_an_unchecked_limit_is_said_to_be_unchecked():
    assert "not been checked against a second text" in headline(FOUR, WHO, "iron").sentence


def test_ranges_and_detections_break_a_limit():
    assert "pH breaks the limit (6.5 to 8.5" in headline(FOUR, WHO, "ph").sentence
    assert "Escherichia coli breaks the limit (must not be detected" in headline(FOUR, WHO, "e_coli").sentence


def test_nothing_is_called_safe():
    empty = headline(FOUR.iloc[:0], WHO, "nitrate")
    assert empty.sentence == "There are no readings of nitrate in this view."
    assert empty.newest is None
    no_limit = headline(picture(a=("no limit", "current")), None, "nitrate")
    assert no_limit.sentence == "Nitrate was measured at 1 site; no limit for it is set."


def test_changes_are_new_exceedances_those_back_below_and_first_readings():
    old = picture(
        a=("above", "current"), b=("below", "current"), c=("above", "current"), d=("above", "current"),
    )  # fmt: skip
    new = picture(
        a=("near", "current"), b=("above", "current"), c=("inconclusive", "current"), d=("above", "current"),
        e=("above", "current"), f=("below", "current"),
    )  # fmt: skip
    made = changes(old, new)
    assert made.new_above["monitoring_location_id"].tolist() == ["b", "e"]
    assert made.back_below["monitoring_location_id"].tolist() == ["a"]
    assert made.first_readings["monitoring_location_id"].tolist() == ["e", "f"]
    assert made.sentence == (
        "2 sites newly above the limit, 1 site back below it, 2 sites read for the first time."
    )
    assert changes(new, new).sentence == "Nothing has changed."

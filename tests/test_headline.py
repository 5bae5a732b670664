"""The headline: every number in it is counted from the table beside it."""

from __future__ import annotations

import pandas as pd

from situation.headline import changes, headline

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
    made = headline(FOUR)
    assert (made.sites, made.above, made.unsure, made.newest) == (4, 2, 2, T2)
    assert (made.inconclusive, made.stale, made.stale_above, made.below) == (1, 2, 1, 1)


def test_an_empty_picture_has_no_newest_reading():
    empty = headline(FOUR.iloc[:0])
    assert (empty.sites, empty.above, empty.unsure, empty.newest) == (0, 0, 0, None)


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

"""Dates and times: to UTC, with how exact they are, and no guess about day and month."""

from __future__ import annotations

import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sensors.dates import date_order, read_times

NOW = pd.Timestamp("2026-11-21", tz="UTC")


def read(*cells: str, **more) -> pd.DataFrame:
    return read_times(pd.Series(list(cells), dtype="str"), **{"now": NOW, "midnight_is_day": False, **more})


def one(cell: str, **more) -> tuple[str, str, str]:
    row = read(cell, **more).iloc[0]
    moment = row["phenomenon_time"]
    return (moment.strftime("%Y-%m-%d %H:%M:%S"), row["phenomenon_time_precision"], row["time_zone_source"])


@pytest.mark.parametrize(
    ("cell", "moment", "precision", "zone"),
    [
        ("2026-03-04T08:12:31+01:00", "2026-03-04 07:12:31", "second", "given"),
        ("2026-03-04T07:21:02.000Z", "2026-03-04 07:21:02", "second", "given"),
        ("2026-03-04T08:12:31-0500", "2026-03-04 13:12:31", "second", "given"),
        ("2026-03-04 08:12 CST", "2026-03-04 14:12:00", "minute", "given"),
        ("2026-03-04 08:12:31", "2026-03-04 08:12:31", "second", "assumed"),
        ("2026-03-04 08:12", "2026-03-04 08:12:00", "minute", "assumed"),
        ("2026-03-04", "2026-03-04 00:00:00", "day", "assumed"),
        ("2026/3/4", "2026-03-04 00:00:00", "day", "assumed"),
        ("20260304", "2026-03-04 00:00:00", "day", "assumed"),
        ("2026-03", "2026-03-01 00:00:00", "month", "assumed"),
        ("03/2026", "2026-03-01 00:00:00", "month", "assumed"),
        ("2026", "2026-01-01 00:00:00", "year", "assumed"),
        ("Mar 4, 2026 8:25:11 AM", "2026-03-04 08:25:11", "second", "assumed"),
        ("Mar 4, 2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("04-Mar-26", "2026-03-04 00:00:00", "day", "assumed"),
        ("4. März 2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("1er mars 2026", "2026-03-01 00:00:00", "day", "assumed"),
        ("12 août 2025 à 14h30", "2025-08-12 14:30:00", "minute", "assumed"),
        ("4 de marzo de 2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("4 de março de 2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("4 maart 2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("٤ مارس ٢٠٢٦", "2026-03-04 00:00:00", "day", "assumed"),
        ("4 كانون الثاني 2026", "2026-01-04 00:00:00", "day", "assumed"),
        ("४ मार्च 2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("Wed Mar 04 2026 08:12:31 GMT+0100 (CET)", "2026-03-04 07:12:31", "second", "given"),
        ("04.03.2026", "2026-03-04 00:00:00", "day", "assumed"),
        ("13/03/2026", "2026-03-13 00:00:00", "day", "assumed"),
        ("3/25/2026 4:05 PM", "2026-03-25 16:05:00", "minute", "assumed"),
        ("10/10/2026", "2026-10-10 00:00:00", "day", "assumed"),
        ("1772608800", "2026-03-04 07:20:00", "second", "given"),
        ("46085", "2026-03-04 00:00:00", "day", "assumed"),
        ("46085.25", "2026-03-04 06:00:00", "second", "assumed"),
    ],
)
def test_a_date_is_read_in_every_spelling(cell, moment, precision, zone):
    assert one(cell) == (moment, precision, zone)


def test_serial_numbers_count_from_1900_or_1904():
    assert one("46085")[0][:10] == "2026-03-04"
    assert one("44623", epoch_1904=True)[0][:10] == "2026-03-04"
    assert read("46085").iloc[0]["kind"] == "serial"


@pytest.mark.parametrize(
    "cell", ["04/03/2026", "04-03-2026", "04/03/26", "13/03/26", "03/04/2026 12:00:00 AM +0000", "Mar-26"]
)
def test_what_can_be_read_in_two_ways_is_not_read(cell):
    got = read(cell).iloc[0]
    assert got["kind"] == "ambiguous_date"
    assert pd.isna(got["phenomenon_time"])


def test_the_order_once_given_holds_for_every_cell():
    assert one("04/03/2026", order="dmy")[0][:10] == "2026-03-04"
    assert one("04/03/2026", order="mdy")[0][:10] == "2026-04-03"
    assert one("04/03/26", order="dmy")[0][:10] == "2026-03-04"
    assert one("03/04/2026 12:00:00 AM +0000", order="mdy") == ("2026-03-04 00:00:00", "second", "given")
    wrong = read("13/04/2026", order="mdy").iloc[0]
    assert (wrong["kind"], pd.isna(wrong["phenomenon_time"])) == ("unreadable", True)


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["04/03/2026", "13/03/2026", "46085"], "dmy"), (["04/03/2026", "03/13/2026"], "mdy"), (["04/03/2026"], "ambiguous"),
        (["13/03/2026", "03/13/2026"], "mixed"), (["2026-01-01", "Mar 4, 2026", "2026"], "ymd"), (["10/10/2026"], "ymd"),
        (["4.3.2026"], "dmy"), ([], "ymd"), (["٠٤/٠٣/٢٠٢٦"], "ambiguous"),
    ],
)  # fmt: skip
def test_the_order_of_a_column(cells, order):
    assert date_order(pd.Series(cells, dtype="str")) == order


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("", "blank"), ("tomorrow", "unreadable"), ("2026-02-30", "unreadable"), ("31/02/2026", "unreadable"),
        ("2050-01-01", "future"), ("1850-01-01", "too_old"), ("04/03/2026 10:00 IST", "ambiguous_date"),
    ],
)  # fmt: skip
def test_what_is_odd_has_a_kind_and_a_way_out(cell, kind):
    got = read(cell).iloc[0]
    assert got["kind"] == kind
    assert pd.isna(got["phenomenon_time"]) == (kind not in ("future", "too_old"))
    if kind != "blank":
        assert got["reason"]
        assert got["fix"]


def test_a_date_alone_stays_that_date_in_every_zone():
    assert one("2026-03-04", default_zone="Pacific/Auckland") == ("2026-03-04 00:00:00", "day", "assumed")
    assert one("2026-03-04 10:00", default_zone="Pacific/Auckland")[0] == "2026-03-03 21:00:00"


def test_times_and_zones_stand_in_columns_of_their_own():
    got = read_times(
        pd.Series(["2026-03-04"] * 6),
        pd.Series(["08:12:31", "8:12 PM", "", "25:99", "0.5", "08:12:31.114+01:00"]),
        pd.Series(["CST", "EDT", "", "CST", "Africa/Lome", "Nowhere"]),
        default_zone="Africa/Nairobi",
        now=NOW,
    )
    assert got["phenomenon_time"].dt.strftime("%d %H:%M:%S").tolist() == [
        "04 14:12:31", "05 00:12:00", "04 00:00:00", "04 00:00:00", "04 12:00:00", "04 07:12:31",
    ]  # fmt: skip
    assert got["phenomenon_time_precision"].tolist() == ["second", "minute", "day", "day", "second", "second"]
    assert got["kind"].tolist() == ["", "", "", "time_unreadable", "", ""]


def test_a_zone_that_the_source_documents_is_called_documented():
    assert one("2026-03-04 08:12", zones="UTC", default_zone="Africa/Nairobi") == (
        "2026-03-04 08:12:00",
        "minute",
        "documented",
    )


def test_an_unknown_zone_is_said():
    got = read_times(
        pd.Series(["2026-03-04 08:12"]), zones=pd.Series(["IST"]), default_zone="UTC", now=NOW
    ).iloc[0]
    assert (got["kind"], got["time_zone_source"]) == ("unknown_zone", "assumed")


def test_the_hours_that_clocks_skip_or_repeat_are_said():
    got = read("2026-03-29 02:30", "2026-10-25 02:30", "2026-10-25 03:30", default_zone="Europe/Amsterdam")
    assert got["kind"].tolist() == ["dst_gap", "dst_twice", ""]
    assert got["phenomenon_time"].dt.strftime("%H:%M").tolist() == ["01:00", "01:30", "02:30"]


def test_a_column_of_midnights_holds_days():
    midnights = pd.Series(["2016-03-01T00:00:00Z", "2016-03-02T00:00:00Z"])
    assert read_times(midnights)["phenomenon_time_precision"].unique().tolist() == ["day"]
    mixed = pd.Series(["2016-03-01T00:00:00Z", "2016-03-02T10:00:00Z"])
    assert read_times(mixed)["phenomenon_time_precision"].unique().tolist() == ["second"]
    assert read_times(mixed, midnight_is_day=True)["phenomenon_time_precision"].tolist() == ["day", "second"]


def test_month_names_of_further_languages_come_as_data():
    assert one("4 machi 2026", months={"Machi": 3})[0][:10] == "2026-03-04"


def test_a_million_distinct_times_take_seconds():
    cells = pd.Series(
        pd.date_range("2000-01-01", periods=1_000_000, freq="37s").strftime("%Y-%m-%d %H:%M:%S")
    ).astype("str")
    begun = time.process_time()
    got = read_times(cells, default_zone="Africa/Lome")
    assert time.process_time() - begun < 6
    assert got["phenomenon_time"].notna().all()


MOMENTS = st.datetimes(min_value=pd.Timestamp("1905-01-01"), max_value=pd.Timestamp("2026-11-01"))
WAYS = {
    "%Y-%m-%d %H:%M:%S": None, "%Y-%m-%dT%H:%M:%S": None, "%d/%m/%Y %H:%M:%S": "dmy", "%m/%d/%Y %I:%M:%S %p": "mdy",
    "%d.%m.%Y %H:%M:%S": "dmy", "%b %d, %Y %I:%M:%S %p": None, "%d %B %Y %H:%M:%S": None, "%Y%m%d%H%M%S": None,
}  # fmt: skip


@examples(max_examples=150, deadline=None)
@given(moment=MOMENTS, way=st.sampled_from(sorted(WAYS)))
def test_a_moment_comes_back_from_every_spelling(moment, way):
    got = one(moment.strftime(way), order=WAYS[way])
    assert got[:2] == (moment.strftime("%Y-%m-%d %H:%M:%S"), "second")


@pytest.mark.torture
@examples(max_examples=2500, deadline=None)
@given(moment=MOMENTS, way=st.sampled_from(sorted(WAYS)))
def test_a_moment_comes_back_from_every_spelling_at_length(moment, way):
    test_a_moment_comes_back_from_every_spelling.hypothesis.inner_test(moment, way)


@examples(max_examples=200, deadline=None)
@given(
    cells=st.lists(
        st.one_of(st.text(max_size=12), st.text(st.sampled_from("0123456789/-.: TZ+AMPmar"), max_size=16)),
        max_size=5,
    )
)
def test_any_cell_is_read_without_a_crash(cells):
    dates = pd.Series(cells, dtype="str")
    got = read_times(dates, dates, dates, order="dmy", default_zone="Africa/Lome")
    assert len(got) == len(cells)
    assert got["phenomenon_time"].isna().equals(got["phenomenon_time_precision"].isna())
    date_order(dates)

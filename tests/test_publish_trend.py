"""Trend pictures: the numbers of the table, the signs of the charts, and everything on the page and nothing cut."""

from __future__ import annotations

import dataclasses
import itertools
import re

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from pypdf import PdfReader

import store
from layers import frozen
from layers import trends as found
from publish import Options, trend_axes, trend_sheet
from publish.page import Box
from publish.trend_words import Words
from situation.errors import ChoiceError
from situation.result import slope
from situation.settings import settings
from situation.view import View
from tests.some_wells import LAT, LON, NOW, put
from tests.test_trends_table import up, yearly

SIZES = ("850x600", "og", "square", "a4", "a4-portrait", "a3", "a3-portrait")
#: What a stranger may write where a name is wanted.
HOSTILE = (
    "{{7*7}}</script><script>alert(1)</script>",
    "=1+1",
    "Well \u202e evil \x00 $x^2$ $\\frac{1}$",
    "🚱 W" + "e" * 300,
    "a long name " * 25,
)
NITRATE = View("groundwater", "nitrate", "who_drinking_water")


def some_wells() -> pd.DataFrame:
    """Series that rise towards the limit, are censored, doubted, measured in many ways, old, hidden or too short."""
    rising = yearly("t:rising", "Rising", "well", up(12, 1.9, 15), start="2011-03-01")
    ways = ["laboratory", "meter", "sensor", "unknown", "laboratory"] * 3
    rising = rising.assign(procedure_class=ways, result_status=["approved"] * 12 + ["estimated"] * 3)
    mixed = yearly(
        "t:less", "Less", "well", ["<2", 1.1, "<2", 1.4, 2.2, "<0.5", 1.9, 2.6, 3.0, 3.1, 3.3, 3.0]
    )
    home = {"lon": LON + 0.0099, "lat": LAT + 0.0301}
    return pd.concat(
        [
            rising,
            mixed,
            yearly("t:above", "Above", "well", up(70, 3)),
            yearly("t:falling", "Falling", "well", up(40, -2)),
            yearly("t:short", "Short", "well", [20.0, 30.0]),
            yearly("t:deep", "Deep", "well", up(5, 0.1), depth_m=40.0),
            yearly("t:home-1", "Family Smith", "household_well", up(30, 1), depth_m=7.7, **home),
            yearly("t:home-2", "Family Jones", "household_well", up(60, -2), depth_m=8.8, **home),
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(tmp_path_factory.mktemp("trend")))
        patch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org")
        put(some_wells())
        place = store.shared(settings().active_store_url)
        yield frozen.keep(place, frozen.freeze(place, NITRATE, NOW), NOW, who="ana")
        place.close()
        store.shared.cache_clear()


@pytest.fixture(scope="module")
def place(shot):
    return store.shared(settings().active_store_url)


@pytest.fixture(scope="module")
def sheets(place, shot):
    return frozen.trend_sheets(place, shot)


@pytest.fixture(autouse=True)
def _same_store(shot, monkeypatch):
    """Keep what the module's store was opened with, and the bold letters it made."""
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org")


def of(sheets, site):
    return next(sheet for sheet in sheets if sheet.site == site)


def named(sheet, name):
    """Give a series under another name; what is drawn is not made again."""
    row = {**sheet.row, "monitoring_location_name": name}
    return dataclasses.replace(sheet, row=row, draw=lambda: sheet.drawn)


def many(sheets, n):
    """Give so many series, each with a name of its own."""
    exact = [sheet for sheet in sheets if sheet.row["position_rule"] == "exact"]
    return [
        named(sheet, f"Well {number}")
        for number, sheet in zip(range(n), itertools.cycle(exact), strict=False)
    ]


# -- the numbers ------------------------------------------------------------------------------------


def test_the_numbers_are_those_of_the_command(place, shot, sheets):
    table = found.inside(found.make(place, shot.view, NOW), shot.view)
    assert len(sheets) == len(table) == 8
    drawn = pd.DataFrame([sheet.row for sheet in sheets])
    same = [name for name in found.COLUMNS if name != "depth_m"]
    pd.testing.assert_frame_equal(drawn[same], table[same].reset_index(drop=True), check_dtype=False)


def test_what_is_said_names_slope_interval_chance_and_crossing(shot, sheets):
    sheet, words = of(sheets, "t:rising"), Words(shot)
    row = sheet.row
    assert row["crossing"] == "crossing expected"
    said = words.sentence(sheet)
    for number in ("slope", "slope_low", "slope_high"):
        assert slope(row[number]) in said
    assert "p\u00a0<\u00a00.001" in said
    assert "15 readings, 0 of them censored" in said
    assert f"{row['crossing_time']:%Y-%m}" in words.crosses(sheet)
    assert f"{row['crossing_earliest']:%Y-%m} to {row['crossing_latest']:%Y-%m}" in words.crosses(sheet)
    assert row["said"] in words.alternative([sheet])


def test_a_picture_says_what_its_readings_are(shot, sheets):
    facts = {fact.name: fact.text for fact in Words(shot).facts(of(sheets, "t:rising"))}
    assert (
        facts["counts"]
        == "15 readings, 0 of them censored; 3 estimated or suspect; 15 not verified one by one."
    )
    assert "50 mg/L as NO3, WHO guidelines for drinking-water quality (2022)" in facts["limit"]
    assert "4th ed. incorporating 1st and 2nd addenda" in facts["limit"]
    assert facts["period"] == "2011-03-01 to 2025-02-25"
    assert facts["as_of"] == f"2026-06-30 00:00 UTC. Data version {shot.version}"
    assert {f.name for f in Words(shot).facts(of(sheets, "t:rising"))} >= {"newest", "method"}


def test_a_limit_for_another_fraction_is_named_and_not_compared(shot, sheets):
    sheet = dataclasses.replace(of(sheets, "t:rising"), limit=None)
    other = dataclasses.replace(shot, limit=dataclasses.replace(shot.limit, fraction="dissolved"))
    limit = Words(other).facts(sheet)[0].text
    assert "for the dissolved fraction and not compared with these readings" in limit


def test_a_kept_snapshot_draws_the_same_trends_after_uploads_and_withdrawals(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_STORE", f"duckdb:{tmp_path / 'wells'}")
    opened = store.shared(settings().active_store_url)
    receipt = put(yearly("t:well", "Well", "well", up()))
    kept = frozen.keep(opened, frozen.freeze(opened, NITRATE, NOW), NOW)
    before = frozen.trend_sheets(opened, kept)
    put(yearly("t:well", "Well", "well", [900.0] * 5, start="2024-05-05"), name="more.csv")
    opened.withdraw(receipt.batch, "op", operator=True)
    again = frozen.trend_sheets(opened, frozen.reopen(opened, kept.id))
    opened.close()
    store.shared.cache_clear()
    assert [sheet.row["slope"] for sheet in again] == [sheet.row["slope"] for sheet in before]
    pd.testing.assert_frame_equal(again[0].drawn.readings, before[0].drawn.readings)


# -- hidden places ----------------------------------------------------------------------------------


def test_hidden_wells_of_one_square_are_two_series_and_nobody(place, shot, sheets):
    hidden = [sheet for sheet in sheets if sheet.site.startswith("area-")]
    assert [(sheet.number, sheet.same) for sheet in hidden] == [(1, 2), (2, 2)]
    assert {sheet.site for sheet in hidden} == {hidden[0].site}
    assert {round(float(sheet.drawn.readings["value"].max())) for sheet in hidden} == {43, 60}
    page = trend_sheet.composed(shot, hidden, Options())
    told = " ".join(words(page)) + " ".join(str(value) for sheet in hidden for value in sheet.row.values())
    for secret in ("Smith", "Jones", "home-", "7.7", "8.8"):
        assert secret not in told
    assert "recorded" not in hidden[0].drawn.readings
    assert "contributor" not in hidden[0].drawn.readings
    alone = frozen.trend_sheets(place, shot, site=hidden[0].site)
    assert len(alone) == 2
    with pytest.raises(ChoiceError, match="no readings of a site 't:home-1'"):
        frozen.trend_sheets(place, shot, site="t:home-1")


def test_whose_readings_are_drawn_is_credited_but_not_whose_home_it_is(shot, sheets):
    home = next(sheet for sheet in sheets if sheet.site.startswith("area-"))
    assert {origin.source for origin in home.drawn.origins} == {"upload"}
    assert {origin.source for origin in of(sheets, "t:rising").drawn.origins} == {"upload:ana"}
    assert Words(shot).sources([home])[0].name == "sources"


# -- the signs --------------------------------------------------------------------------------------


def marks(axes):
    """Give the marks of a chart: shape, filled, and where."""
    for line in axes.lines:
        if line.get_marker() not in ("None", None) and line.get_linestyle() == "None":
            yield line.get_marker(), line.get_markerfacecolor() != "none", line.get_xydata()


def test_censored_readings_are_open_marks_with_a_line_to_zero_and_never_dots(shot, sheets):
    sheet = of(sheets, "t:less")
    axes = trend_sheet.composed(shot, [sheet], Options()).figure.axes[0]
    readings = sheet.drawn.readings
    less = readings[readings["censoring"] == "<"]
    dots = np.vstack(
        [at for shape, filled, at in marks(axes) if filled and shape in trend_axes.SHAPES.values()]
    )
    assert sorted(dots[:, 1]) == sorted(readings.loc[readings["censoring"] == "=", "value"])
    opened = [at for shape, filled, at in marks(axes) if shape == "v" and not filled]
    assert sorted(opened[0][:, 1]) == sorted(less["value"])
    stems = [
        segment
        for lines in axes.collections
        if hasattr(lines, "get_segments") and to_hex(lines.get_color()[0]) == trend_axes.BLUE
        for segment in lines.get_segments()
    ]
    assert sorted((float(one[0, 1]), float(one[1, 1])) for one in stems) == sorted(
        (v, 0.0) for v in less["value"]
    )


def test_the_way_of_measuring_is_a_shape_and_doubt_is_a_ring(shot, sheets):
    sheet = of(sheets, "t:rising")
    axes = trend_sheet.composed(shot, [sheet], Options()).figure.axes[0]
    told = {shape: len(at) for shape, filled, at in marks(axes) if filled}
    del told["D"]  # the crossing is a diamond too
    assert told == {"o": 6, "s": 3, "X": 3}
    rings = [at for shape, filled, at in marks(axes) if shape == "o" and not filled]
    assert len(rings[0]) == 3
    signs = set(trend_sheet.composed(shot, [sheet], Options()).parts())
    assert {
        "sign laboratory",
        "sign meter",
        "sign sensor",
        "sign unknown",
        "sign doubted",
        "sign cross",
    } <= signs
    assert not {"sign less", "sign more", "sign strip"} & signs


def test_the_red_bar_is_the_interval_of_the_crossing(shot, sheets):
    sheet = of(sheets, "t:rising")
    axes = trend_sheet.composed(shot, [sheet], Options()).figure.axes[0]
    bar = next(line for line in axes.lines if line.get_color() == trend_axes.RED and line.get_alpha() == 0.55)
    row = sheet.row
    ends = trend_axes.days([row["crossing_earliest"], min(row["crossing_latest"], sheet.until)])
    assert bar.get_xdata() == pytest.approx(ends)
    assert list(bar.get_ydata()) == [50.0, 50.0]


def test_readings_are_never_joined(shot, sheets):
    sheet = of(sheets, "t:above")
    axes = trend_sheet.composed(shot, [sheet], Options()).figure.axes[0]
    n = len(sheet.drawn.readings)
    joined = [line for line in axes.lines if len(line.get_xdata()) == n and line.get_linestyle() != "None"]
    assert joined == []


# -- the axes ---------------------------------------------------------------------------------------


@hypothesis.settings(max_examples=40)
@given(st.integers(1900, 2150), st.floats(0.1, 300), st.integers(1, 40))
@example(2020, 16.9, 3)
@example(2025, 1.4, 8)
def test_a_time_axis_is_lettered_at_round_days_and_does_not_crowd(year, years, most):
    first = trend_axes.days([f"{year}-05-17T00:00Z"])[0]
    at, said = trend_axes.time_ticks(first, first + 365.25 * years, most)
    assert all(first <= day <= first + 365.25 * years for day in at)
    assert len(at) <= most + 1
    for day, word in zip(at, said, strict=True):
        assert pd.Timestamp(round(day * 86_400), unit="s") == pd.Timestamp(
            word if "-" in word else f"{word}-01-01"
        )
    gaps = np.diff([int(word) for word in said if "-" not in word])
    assert len(set(gaps)) <= 1


@hypothesis.settings(max_examples=40)
@given(st.floats(-1e5, 1e5), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_an_axis_of_values_says_each_number_once(bottom, reach, most):
    at, said = trend_axes.value_ticks(bottom, bottom + reach, most)
    assert len(set(said)) == len(said)
    assert all(bottom - 1e-6 * reach <= value <= bottom + reach * (1 + 1e-6) for value in at)


def test_axes_are_shared_unless_that_presses_series_flat(shot, sheets):
    alike = [of(sheets, name) for name in ("t:rising", "t:falling", "t:above")]
    page = trend_sheet.composed(shot, alike, Options())
    assert len({axes.get_ylim() for axes in page.figure.axes}) == 1
    assert "All charts have the same axes." in words(page)["scale"]
    other = [of(sheets, name) for name in ("t:deep", "t:less", "t:above")]
    page = trend_sheet.composed(shot, other, Options())
    assert len({axes.get_ylim() for axes in page.figure.axes}) == 3
    assert len({axes.get_xlim() for axes in page.figure.axes}) == 1
    assert "the same time axis; the scale of values differs" in words(page)["scale"]


def test_zero_is_on_the_axis(sheets):
    for sheet in sheets:
        seen = trend_axes.window(sheet)
        assert seen.bottom <= 0 < seen.top


# -- the page ---------------------------------------------------------------------------------------


def words(page):
    """Give what each part of a page says."""
    return {
        name: " ".join(text.get_text() for text in artists if hasattr(text, "get_text"))
        for name, artists in page._artists.items()
    }


def check(page, shot):
    """Say that all that must stand on a picture does, inside it, uncut, and nothing on top of another."""
    parts = page.parts()
    wanted = {"title", "limit", "counts", "period", "as_of", "never safe", "sources"}
    assert wanted | ({"qr", "link"} if shot.permalink else {"again"}) <= set(parts)
    for name, box in parts.items():
        assert Box(0, 0, page.wide, page.high).holds(box), name
    for one, other in itertools.combinations(parts, 2):
        if page.inside.get(one) != other and page.inside.get(other) != one:
            assert not parts[one].overlaps(parts[other], 1.0), (one, other, parts[one], parts[other])
    for name, outer in page.inside.items():
        assert parts[outer].holds(parts[name], 1.0), name
    assert not page.cut, page.cut


@pytest.mark.parametrize(
    ("size", "language", "n"),
    [
        ("og", "ar", 1),
        ("a4", "fr", 1),
        ("850x600", "hi", 6),
        ("square", "es", 9),
        ("a4", "en", 30),
    ],
)
def test_nothing_is_missing_outside_cut_or_on_top_of_another(shot, sheets, size, language, n):
    told = dataclasses.replace(shot, language=language, simulated=True, id=shot.id if n != 6 else None)
    some = [of(sheets, "t:rising")] if n == 1 else many(sheets, n)
    page = trend_sheet.composed(told, some, Options(size=size, look="print" if n == 1 else "light"))
    check(page, told)
    assert "notice" in page.parts()


@pytest.mark.torture
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "hi"])
def test_every_size_in_every_language(shot, sheets, size, language):
    told = dataclasses.replace(shot, language=language, simulated=True, unaccepted=True)
    for sheet in sheets:
        check(trend_sheet.composed(told, [sheet], Options(size=size)), told)
    for n in (2, 3, 5, 7, 12, 18, 24, 40):
        check(trend_sheet.composed(told, many(sheets, n), Options(size=size)), told)


@pytest.mark.parametrize(("size", "n"), [("850x600", 1), ("square", 5)])
def test_hostile_names_are_text_and_fit(shot, sheets, size, n, tmp_path):
    some = [named(sheet, name) for sheet, name in zip(sheets, HOSTILE, strict=False)]
    for shown in [some] if n > 1 else [[one] for one in some]:
        page = trend_sheet.composed(shot, shown, Options(size=size))
        page.cut -= {part for part in page.cut if part == "title" or part.endswith(" name")}
        check(page, shot)
        assert not re.search("[\u202e\x00]", "".join(words(page).values()))
    assert "$x^2$" in "".join(
        words(trend_sheet.composed(shot, some[2:3], Options())).values()
    )  # no formula is made of it
    trend_sheet.write(shot, some[:1], tmp_path / "x.svg", Options(size=size))
    assert "<script" not in (tmp_path / "x.svg").read_text("utf-8")


def test_what_does_not_fit_is_counted_and_named_the_most_urgent_first(shot, sheets):
    some = many(sheets, 9)
    page = trend_sheet.composed(shot, some, Options(size="850x600"))
    said = words(page)
    assert said["shown"] == "The 6 most urgent are drawn; not drawn: Well 6, Well 7, Well 8."
    assert [said[f"{n} name"].strip("\u200e") for n in range(1, 7)] == [f"Well {n}" for n in range(6)]
    assert Words(shot).shown(some[:1], many(sheets, 40)).endswith(", Well 7 and 32 more.")
    assert [sheet.site for sheet in sheets][0] == "t:rising"  # expected to cross: before those that have


def test_a_series_without_a_trend_says_why(shot, sheets):
    page = trend_sheet.composed(shot, [of(sheets, "t:short")], Options())
    assert "Not enough readings for a trend" in words(page)["sentence 0"]
    assert "sign trend" not in page.parts()
    none = dataclasses.replace(of(sheets, "t:short"), row={**of(sheets, "t:short").row, "n": 0})
    assert "no reading that counts" in words(trend_sheet.composed(shot, [none], Options()))["chart"]


def test_without_a_link_the_command_says_how_to_get_the_same(shot, sheets):
    told = dataclasses.replace(shot, base_url=None, id=None)
    said = words(trend_sheet.composed(told, [of(sheets, "t:rising")], Options()))
    assert "qr" not in said
    assert "python -m commonsight snapshot" in said["again"]
    assert "--trends --site=t:rising" in said["again"]
    assert f"--as-of={shot.version}" in said["again"]
    assert "--at=2026-06-30T00:00Z" in said["again"]


# -- the files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", trend_sheet.ENDINGS)
def test_the_same_picture_twice_is_the_same_bytes(shot, sheets, ending, tmp_path):
    files = [tmp_path / f"{n}.{ending}" for n in range(2)]
    for file in files:
        trend_sheet.write(shot, sheets[:1], file)
    assert files[0].read_bytes() == files[1].read_bytes()
    if ending == "pdf":
        text = PdfReader(files[0]).pages[0].extract_text()
        assert "Rising" in text
        assert "WHO guidelines" in text


def test_what_cannot_be_drawn_is_a_sentence(shot, sheets, tmp_path):
    with pytest.raises(ChoiceError, match="does not end in one of png, svg, pdf"):
        trend_sheet.write(shot, sheets, tmp_path / "trends.csv")
    with pytest.raises(ChoiceError, match="no trend to draw"):
        trend_sheet.write(shot, [], tmp_path / "trends.png")
    with pytest.raises(ChoiceError, match="No size 'huge'"):
        trend_sheet.write(shot, sheets, tmp_path / "trends.png", Options(size="huge"))


def test_those_who_do_not_see_it_are_told_what_it_shows(shot, sheets):
    one = trend_sheet.alternative(shot, [of(sheets, "t:rising")])
    assert one.startswith("Nitrate at Rising over time. Rising: +1.9")
    all_of_them = trend_sheet.alternative(shot, sheets)
    assert "8 charts of Nitrate" in all_of_them
    assert "First: Rising" in all_of_them

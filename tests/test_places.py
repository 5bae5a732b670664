"""Places: degrees, letters, metres, and what is wrong with them."""

from __future__ import annotations

import math
import socket

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sensors.places import guess_crs, read_angle, read_points, to_degrees
from situation.settings import ROOT

KWALE = ROOT.parent / "shared" / "samples" / "groundwater" / "kenya_kwale_water_samples.csv"
TOGO, KENYA = (0.0, 6.0, 2.0, 11.2), (38.0, -6.0, 41.0, -2.0)


def at(x: str, y: str, **more) -> pd.Series:
    return read_points(pd.Series([x], dtype="str"), pd.Series([y], dtype="str"), **more).iloc[0]


def within(cell: str, **more) -> pd.Series:
    return read_points(text=pd.Series([cell], dtype="str"), **more).iloc[0]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("1.178902", "7.204113"), ("1,178902", "7,204113"), ("1°10'44.0472\"E", "7°12'14.8068\"N"),
        ("E 1 10 44.0472", "N 7 12 14.8068"), ("1° 10.73412' E", "7° 12.24678' N"), ("1:10:44.0472", "07:12:14.8068"),
        ("1d10m44.0472s", "7d12m14.8068s"), ("1º10´44,0472´´", "7º12´14,8068´´"), ("1.178902°", "7.204113°"),
        ("1.178902 E", "7.204113 N"), ("1.178902° est", "7.204113° nord"), ("١٫١٧٨٩٠٢", "٧٫٢٠٤١١٣"),
        ("7°12'14.8068\"N", "1°10'44.0472\"E"),  # the letters know better than the columns
    ],
)  # fmt: skip
def test_degrees_are_read_in_every_spelling(x, y):
    got = at(x, y)
    assert got["kind"] == ""
    assert (got["longitude"], got["latitude"]) == pytest.approx((1.178902, 7.204113), abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        ("70.5 W", "33°30'S", (-70.5, -33.5)),
        ("-70.5", "-33.5", (-70.5, -33.5)),
        ("W70.5", "S 33 30", (-70.5, -33.5)),
    ],
)
def test_south_and_west_are_negative(x, y, place):
    got = at(x, y)
    assert (got["longitude"], got["latitude"]) == pytest.approx(place)


def test_the_letter_o_is_asked_about():
    assert at("1°10'44\" O", "7")["kind"] == "ambiguous_hemisphere"
    assert at("1.5 O", "7", o_means="W")["longitude"] == -1.5
    assert at("1.5 O", "7", o_means="E")["longitude"] == 1.5
    assert at("1.5 ouest", "7")["longitude"] == -1.5


@pytest.mark.parametrize(
    "cell",
    [
        "7.204113 1.178902", "(7.204113, 1.178902)", "7.204113,1.178902", "7,204113 1,178902", "7,204113; 1,178902",
        "POINT (1.178902 7.204113)", "SRID=4326;POINT(1.178902 7.204113)", '{"type":"Point","coordinates":[1.178902,7.204113]}',
        "7.204113 N, 1.178902 E", "1.178902E 7.204113N", "geo:7.204113,1.178902", "7°12'14.8068\"N 1°10'44.0472\"E",
        "https://maps.example.org/?q=7.204113,1.178902",
    ],
)  # fmt: skip
def test_a_place_in_one_cell_is_read(cell):
    got = within(cell)
    assert (got["longitude"], got["latitude"]) == pytest.approx((1.178902, 7.204113), abs=1e-6)


def test_a_phone_also_gives_altitude_and_accuracy():
    got = within("7.204113 1.178902 214.6 4.8")
    assert (got["altitude_m"], got["horizontal_accuracy_m"]) == (214.6, 4.8)


def test_utm_with_its_zone_agrees_with_the_degrees_beside_it():
    got = at("298913", "796713", zone="31N")
    assert (got["longitude"], got["latitude"]) == pytest.approx((1.178902, 7.204113), abs=1e-5)
    assert within("31N 298913 796713")["longitude"] == pytest.approx(got["longitude"])
    assert at("298913", "796713", zone="31")["kind"] == "no_crs"
    assert at("298913", "796713", zone="31", area=TOGO)["latitude"] == pytest.approx(got["latitude"])
    assert at("298913", "796713", zone="moon")["kind"] == "unknown_crs"


def test_arc_1960_is_moved_by_its_datum_shift():
    got = at("548785", "9523807", crs="EPSG:21037")
    assert (got["longitude"], got["latitude"]) == pytest.approx((39.440525, -4.310762), abs=1e-5)
    assert (got["transformation_m"], got["horizontal_datum"]) == (6.0, "EPSG:21037")
    unshifted = at("548785", "9523807", crs="EPSG:32737")
    assert abs(got["latitude"] - unshifted["latitude"]) * 111_000 == pytest.approx(300, abs=20)


def test_nad27_is_transformed_and_nad83_is_kept_and_named():
    old, new = at("-112.847775", "43.425744", crs="NAD27"), at("-112.847775", "43.425744", crs="NAD83")
    assert old["longitude"] == pytest.approx(-112.848628, abs=1e-4)
    assert old["transformation_m"] > 0
    assert (new["longitude"], new["horizontal_datum"], math.isnan(new["transformation_m"])) == (
        -112.847775,
        "NAD83",
        True,
    )


def test_a_datum_may_differ_from_row_to_row():
    x, y = pd.Series(["-112.847775"] * 4), pd.Series(["43.425744"] * 4)
    got = read_points(x, y, crs=pd.Series(["NAD27", "NAD83", "", "Atlantis 99"]))
    assert got["kind"].tolist() == ["", "", "", "unknown_crs"]
    assert got["longitude"].round(4).tolist()[:3] == [-112.8486, -112.8478, -112.8478]


def test_nothing_is_fetched_over_the_network(monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a grid was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("PROJ_NETWORK", "ON")
    assert np.isfinite(to_degrees([500000.0], [200000.0], "EPSG:27700")[0]).all()


@pytest.mark.parametrize(
    ("x", "y", "kind"),
    [
        ("0", "0", "zero"), ("0.0", "0,0", "zero"), ("", "", "blank"), ("", "7", "half"), ("abc", "7", "unreadable"), ("1°75'", "7", "unreadable"),
        ("181", "7", "out_of_range"), ("7.2", "95", "swapped"), ("7.2139", "1.1702", "swapped"), ("50", "50", "outside"),
        ("298913", "796713", "no_crs"), ("548,785", "796,713", "ambiguous_decimal"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_place_is_said(x, y, kind):
    got = at(x, y, area=TOGO)
    assert got["kind"] == kind
    assert math.isnan(got["longitude"]) == (kind != "outside")
    if kind != "blank":
        assert got["reason"]
        assert got["fix"]


def test_without_an_area_only_the_impossible_is_refused():
    assert at("7.2139", "1.1702")["kind"] == ""


def test_metres_in_groups_of_three_are_read_once_the_mark_is_known():
    got = at("298,913", "796,713", decimal="point", zone="31N")
    assert got["longitude"] == pytest.approx(1.178902, abs=1e-5)


def test_a_system_is_guessed_for_a_question_not_chosen():
    x, y = pd.Series(["548785"]), pd.Series(["9523807"])
    named = guess_crs(x, y, ["EPSG:21037", "EPSG:32631"], KENYA)
    assert [guess.crs for guess in named][:2] == ["EPSG:21037", "EPSG:32737"]
    assert "EPSG:32631" not in [guess.crs for guess in named]
    found = [guess.crs for guess in guess_crs(x, y, [], KENYA)]
    assert {"EPSG:32737", "EPSG:21037"} <= set(found)
    assert guess_crs(pd.Series(["x"]), pd.Series(["y"]), [], KENYA) == []


@pytest.mark.skipif(not KWALE.exists(), reason="the sample files are not at hand (../shared/samples)")
def test_every_well_of_kwale_lies_on_the_kenyan_coast():
    table = pd.read_csv(KWALE, dtype="str")
    got = read_points(table["utm_x"], table["utm_y"], crs="EPSG:21037", area=KENYA)
    assert got["kind"].eq("").all()
    assert got["longitude"].between(39.2, 39.6).all()


def test_the_index_is_kept():
    got = read_points(
        pd.Series([1.0, 2.0, 1.0], index=[5, 6, 7]), pd.Series([7.0, 8.0, 7.0], index=[5, 6, 7])
    )
    assert got.index.tolist() == [5, 6, 7]
    assert got["latitude"].tolist() == [7.0, 8.0, 7.0]


@examples(max_examples=150, deadline=None)
@given(degrees=st.floats(0.0001, 89.9), side=st.sampled_from(["N", "S"]))
def test_degrees_minutes_and_seconds_come_back(degrees, side):
    whole, minutes = int(degrees), int(degrees % 1 * 60)
    seconds = round((degrees - whole - minutes / 60) * 3600, 4)
    if not 0 <= seconds < 60:
        return
    value = (whole + minutes / 60 + seconds / 3600) * (1 if side == "N" else -1)
    for text in (
        f"{whole}°{minutes}'{seconds}\"{side}",
        f"{side}{whole} {minutes} {seconds}",
        f"{whole}d {minutes}m {seconds}s {side}",
    ):
        assert read_angle(text).value == pytest.approx(value, abs=1e-9)


CELLS = st.lists(
    st.one_of(
        st.text(max_size=12), st.text(st.sampled_from("0123456789.,-°'\" NSEWO()POINT{}"), max_size=20)
    ),
    min_size=1,
    max_size=4,
)


def _sound(got):
    kept = got["kind"].isin(["", "outside"])
    assert got["longitude"].notna().equals(kept)
    assert got.loc[kept, "latitude"].between(-90, 90).all()


@examples(max_examples=200, deadline=None)
@given(cells=CELLS)
def test_any_cell_is_read_without_a_crash(cells):
    column = pd.Series(cells, dtype="str")
    _sound(read_points(column, column, zone=column))
    _sound(read_points(text=column, area=TOGO))


@examples(max_examples=60, deadline=None)  # PROJ takes a fifth of a second to say that it knows no such name
@given(cells=CELLS)
def test_any_name_of_a_system_is_read_without_a_crash(cells):
    column = pd.Series(cells, dtype="str")
    _sound(read_points(text=column, crs=column, area=TOGO))
    _sound(read_points(x=column, y=column, crs=column))

"""Shares by area: the interval is the published one, no site is dropped, and no border tells where a well is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from situation import areas as polygons
from situation import region
from situation.areas import Areas, read
from situation.errors import ChoiceError, DataFileError
from situation.privacy import public
from situation.topic import AreaFile, topics

TOPIC = topics()["groundwater"]
NOW = pd.Timestamp("2026-06-30", tz="UTC")


# R. G. Newcombe (1998), "Two-sided confidence intervals for the single proportion: comparison of seven
# methods", Statistics in Medicine 17, 857-872, table I, method 3 (score method, no continuity correction).
@pytest.mark.parametrize(
    ("above", "judged", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(above, judged, low, high):
    found = region.wilson(above, judged)
    assert [round(float(end), 4) for end in found] == [low, high]


@given(st.integers(1, 5000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
@settings(max_examples=50, deadline=None)
def test_the_interval_holds_the_share_is_symmetric_and_solves_wilson_s_equation(judged, data, confidence):
    above = data.draw(st.integers(0, judged))
    low, high = (float(end) for end in region.wilson(above, judged, confidence))
    share = above / judged
    assert 0 <= low <= share <= high <= 1
    other = [1 - float(end) for end in region.wilson(judged - above, judged, confidence)]
    assert other == pytest.approx([high, low], abs=1e-12)
    # Wilson 1927: the ends p are where |share - p| = z sqrt(p (1 - p) / n).
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for end in (low, high):
        assert (share - end) ** 2 == pytest.approx(z * z * end * (1 - end) / judged, rel=1e-6, abs=1e-12)


def test_none_of_none_is_unknown_and_a_confidence_is_checked():
    assert np.isnan(region.wilson(0, 0)).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        region.wilson(1, 2, 95)


# -- counting ---------------------------------------------------------------------------------------

SQUARES = {"west": shapely.box(0, 0, 1, 1), "east": shapely.box(1, 0, 2, 1)}


def areas(shapes=SQUARES):
    made = np.empty(len(shapes), dtype=object)
    made[:] = list(shapes.values())
    return Areas("test", "Test", list(shapes), made)


def sites(rows):
    """Make sites of (lon, lat, status[, freshness[, rule]])."""
    full = [(*row, "current", "exact")[: 3 + 2] if len(row) == 3 else row for row in rows]
    full = [row if len(row) == 5 else (*row, "exact") for row in full]
    table = pd.DataFrame(full, columns=["longitude", "latitude", "status", "freshness", "position_rule"])
    table["phenomenon_time"] = NOW
    return table.astype({"longitude": "float64", "latitude": "float64"})


def counted(table, shapes=SQUARES):
    chosen = areas(shapes)
    found = region.members(table, chosen, TOPIC)
    return region.by_area(table, chosen, found).set_index("area"), found


TEN = sites(
    [
        (0.5, 0.5, "above"), (0.4, 0.5, "above", "stale"), (0.3, 0.5, "near"), (0.2, 0.5, "below"),
        (0.1, 0.5, "inconclusive"), (0.6, 0.2, "below"), (1.5, 0.5, "below", "stale"),
        (3.0, 0.5, "above"), (np.nan, np.nan, "inconclusive"), (1.6, 0.5, "no limit"),
    ]
)  # fmt: skip


def test_every_number_of_an_area_is_counted():
    rows, _ = counted(TEN)
    west = rows.loc["west"]
    assert west[["sites", "judged", "above", "near", "below", "inconclusive", "no_limit"]].tolist() == [
        6, 5, 2, 1, 2, 1, 0,
    ]  # fmt: skip
    assert west[["stale", "stale_above"]].tolist() == [1, 1]
    assert west["share"] == 2 / 5
    assert (west["share_least"], west["share_most"]) == (2 / 6, 3 / 6)
    assert (west["share_low"], west["share_high"]) == tuple(float(e) for e in region.wilson(2, 5))
    assert region.CLASS_NAMES[west["class"]] == "25 to 50 %"
    assert west["newest"] == NOW


def test_no_site_is_dropped():
    rows, _ = counted(TEN)
    assert rows["sites"].sum() == len(TEN)
    assert rows.loc["outside every area", ["sites", "above"]].tolist() == [1, 1]
    assert rows.loc["without a place", ["sites", "inconclusive"]].tolist() == [1, 1]
    assert rows["kind"].tolist() == ["area", "area", "outside", "no place"]


def test_an_area_with_few_judged_sites_says_too_few_and_one_without_any_has_no_share():
    rows, _ = counted(TEN)
    assert rows.loc["east", ["sites", "judged", "no_limit"]].tolist() == [2, 1, 1]
    assert region.CLASS_NAMES[rows.loc["east", "class"]] == "too few sites to say"
    assert rows.loc["without a place", ["share", "share_low", "share_high"]].isna().all()
    assert region.CLASS_NAMES[rows.loc["without a place", "class"]] == "too few sites to say"


def test_a_site_in_overlapping_areas_or_on_a_border_counts_in_each():
    shapes = {**SQUARES, "both": shapely.box(0.5, 0, 1.5, 1)}
    rows, found = counted(sites([(0.7, 0.5, "above"), (1.0, 0.5, "below"), (0.1, 0.1, "below")]), shapes)
    assert rows["sites"].tolist() == [3, 1, 2, 0, 0]
    assert found.several == 2


def test_a_hole_is_not_inside_and_several_parts_are_one_area():
    ring = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(3, 3), (6, 3), (6, 6), (3, 6)]])
    shapes = {
        "ring": ring,
        "parts": shapely.MultiPolygon([shapely.box(4, 4, 5, 5), shapely.box(20, 0, 21, 1)]),
    }
    table = sites([(1, 1, "above"), (4.5, 4.5, "below"), (3.5, 3.5, "below"), (20.5, 0.5, "above")])
    rows, _ = counted(table, shapes)
    assert rows["sites"].tolist() == [1, 2, 1, 0]


@given(
    st.lists(
        st.tuples(
            st.floats(-1, 3), st.floats(-1, 2),
            st.sampled_from(["above", "near", "below", "inconclusive", "no limit"]),
            st.sampled_from(["current", "stale"]),
        ),
        max_size=30,
    ),
    st.randoms(),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_the_numbers_add_up_and_do_not_depend_on_the_order(rows, random):
    shapes = {"west": shapely.box(0, 0, 0.99, 1), "east": shapely.box(1.01, 0, 2, 1)}
    table = sites(rows) if rows else TEN.iloc[:0]
    one, _ = counted(table, shapes)
    assert one["sites"].sum() == len(table)
    assert one["stale"].sum() == table["freshness"].eq("stale").sum()
    known = one[one["judged"] > 0]
    assert (known["share_least"] <= known["share"]).all()
    assert (known["share"] <= known["share_most"]).all()
    shuffled = table.sample(frac=1, random_state=random.randint(0, 1000)).reset_index(drop=True)
    other, _ = counted(shuffled, shapes)
    pd.testing.assert_frame_equal(one, other)


def test_a_hidden_well_is_counted_where_its_square_lies_and_never_where_it_lies():
    degree = TOPIC.grid_m / 111_320
    border = 37.6 * degree  # inside a cell: the well lies east of the border, the middle of its cell west
    shapes = {"west": shapely.box(0, 0, border, 1), "east": shapely.box(border, 0, 1, 1)}
    true = pd.DataFrame(
        {
            "monitoring_location_id": ["a", "b"],
            "monitoring_location_type": "household_well",
            "position_rule": "blurred",
            "longitude": [37.8 * degree, 50.5 * degree],
            "latitude": 20.5 * degree,
            "status": "above",
            "freshness": "current",
            "phenomenon_time": NOW,
        }
    )
    assert true.loc[0, "longitude"] > border
    rows, found = counted(public(true, TOPIC), shapes)
    assert rows["sites"].tolist() == [1, 1, 0, 0]
    assert rows["near_border"].tolist() == [1, 0, 0, 0]
    assert found.near_border.tolist() == [True, False]


# -- change -----------------------------------------------------------------------------------------


def picture(**said):
    rows = [(name, status, pd.Timestamp(day, tz="UTC")) for name, (status, day) in said.items()]
    return pd.DataFrame(rows, columns=["monitoring_location_id", "status", "phenomenon_time"])


def test_only_sites_that_were_read_again_are_compared():
    old = picture(
        a=("below", "2020-01-01"), b=("above", "2020-01-01"), c=("above", "2020-01-01"),
        d=("inconclusive", "2020-01-01"), e=("above", "2020-01-01"),
    )  # fmt: skip
    new = picture(
        a=("above", "2024-01-01"),  # newly above
        b=("near", "2024-01-01"),  # back below
        c=("above", "2020-01-01"),  # nobody has been there since
        d=("above", "2024-01-01"),  # could not be judged then
        e=("above", "2024-01-01"),
        f=("above", "2024-01-01"),  # first read since
    )
    was = region.earlier(old, new)
    table = sites([(0.5, 0.5, status) for status in new["status"]])
    table["phenomenon_time"] = new["phenomenon_time"]
    chosen = areas()
    made = region.change(table, was, chosen, region.members(table, chosen, TOPIC))
    west = made.iloc[0]
    assert west[["compared", "newly_above", "back_below"]].tolist() == [4, 1, 1]
    assert west[["not_read_again", "first_read"]].tolist() == [1, 1]
    assert (west["share_then"], west["share_now"]) == (2 / 3, 2 / 3)
    assert made.iloc[1][["share_then", "share_now"]].isna().all()


# -- files ------------------------------------------------------------------------------------------


def file_of(tmp_path, shapes, name="NAME", file="areas.geojson", crs="EPSG:4326", labels=None):
    table = gpd.GeoDataFrame({name: labels or list(shapes)}, geometry=list(shapes.values()), crs=crs)
    table.to_file(tmp_path / file, engine="pyogrio")
    return AreaFile("areas", "Areas", tmp_path / file, name)


@pytest.mark.parametrize("file", ["areas.geojson", "areas.gpkg", "areas.shp"])
def test_any_polygon_file_is_read_in_the_system_that_it_states(tmp_path, file):
    utm = gpd.GeoSeries(list(SQUARES.values()), crs="EPSG:4326").to_crs("EPSG:32631")
    made = read(file_of(tmp_path, dict(zip(SQUARES, utm, strict=True)), file=file, crs="EPSG:32631"))
    assert made.names == ["west", "east"]
    assert made.shapes[0].bounds == pytest.approx((0, 0, 1, 1), abs=1e-6)


def test_rings_that_cross_themselves_are_mended_and_counted(tmp_path):
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    made = read(file_of(tmp_path, {"bow": bow, "good": shapely.box(5, 5, 6, 6)}))
    assert made.mended == 1
    assert shapely.is_valid(made.shapes).all()
    rows = region.members(sites([(0.2, 1.0, "above"), (1.0, 0.2, "below"), (1.8, 1.0, "above")]), made, TOPIC)
    assert rows.outside.tolist() == [False, True, False]


def test_rows_of_one_name_are_one_area_and_a_row_without_a_name_is_called_by_its_place(tmp_path):
    shapes = {"1": shapely.box(0, 0, 1, 1), "2": shapely.box(5, 0, 6, 1), "3": shapely.box(8, 0, 9, 1)}
    made = read(file_of(tmp_path, shapes, labels=["Isles", "Isles", None]))
    assert made.names == ["Isles", "unnamed, row 3"]
    assert shapely.area(made.shapes[0]) == pytest.approx(2)


@pytest.mark.parametrize(
    "ring",
    [
        [(178, -18), (-178, -18), (-178, -16), (178, -16)],  # the long way round, as many files have it
        [(178, -18), (182, -18), (182, -16), (178, -16)],  # beyond 180
        [(-182, -18), (-178, -18), (-178, -16), (-182, -16)],
    ],
)
def test_an_area_across_the_180th_meridian_is_cut_there(tmp_path, ring):
    made = read(file_of(tmp_path, {"Isles": shapely.Polygon(ring), "far": shapely.box(0, 0, 1, 1)}))
    table = sites([(179.5, -17, "above"), (-179.5, -17, "below"), (0.5, -17, "above"), (180, -17, "above")])
    found = region.members(table, made, TOPIC)
    assert found.site.tolist() == [0, 1, 3]
    assert found.outside.tolist() == [False, False, True, False]
    assert shapely.area(made.shapes[0]) == pytest.approx(8)


def test_a_topic_without_areas_is_given_the_countries_of_the_world(tmp_path):
    file = polygons.chosen(TOPIC, None)
    made = read(file)
    assert file.key == polygons.COUNTRIES
    assert len(made) > 150
    table = sites(
        [(36.8, -1.3, "above"), (-172.0, 66.0, "above"), (178.0, -17.8, "below"), (-30, 0, "below")]
    )
    found = region.members(table, made, TOPIC)
    assert [made.names[area] for area in found.area] == ["Kenya", "Russia", "Fiji"]
    assert found.outside.tolist() == [False, False, False, True]


def test_the_valley_has_communes_and_aquifers_that_hold_every_site_once():
    shown = TOPIC.shown(simulated=True)
    assert [file.key for file in shown.areas] == ["communes", "aquifers"]
    table = pd.read_csv(shown.areas[0].path.parent / "sites.csv").query("medium != 'air'")
    table = sites([(row.longitude, row.latitude, "below") for row in table.itertuples()])
    for file in shown.areas:
        made = read(file)
        found = region.members(table, made, TOPIC)
        assert found.several == 0
        assert found.outside.sum() <= 3
        assert all("simulated" in name for name in made.names)
        assert made.mended == 0


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (
            lambda f: None,
            "areas.geojson is not there; .* takes a file of polygons in the folder of the topic",
        ),
        (
            lambda f: f.write_text("no map"),
            "areas.geojson cannot be read as polygons; GeoJSON, GeoPackage or",
        ),
        (
            lambda f: f.write_text('{"type":"FeatureCollection","features":[]}'),
            "areas.geojson holds no polygon",
        ),
        (
            lambda f: gpd.GeoDataFrame({"NAME": ["a"]}, geometry=[shapely.Point(1, 1)], crs=4326).to_file(f),
            "areas.geojson holds no polygon; areas are polygons or multipolygons",
        ),
        (
            lambda f: gpd.GeoDataFrame({"nom": ["a"]}, geometry=[SQUARES["west"]], crs=4326).to_file(f),
            "areas.geojson has no column 'NAME' to name its areas; it has nom",
        ),
        (
            lambda f: f.write_text(
                '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"NAME":"a"},'
                '"geometry":{"type":"Polygon","coordinates":[[[5e5,5e6],[6e5,5e6],[6e5,6e6],[5e5,5e6]]]}}]}'
            ),
            "areas.geojson has places that are not on Earth .* the reference system that it states",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_that_names_it(tmp_path, write, sentence):
    path = tmp_path / "areas.geojson"
    write(path)
    with pytest.raises(DataFileError, match=f"{tmp_path.name}/{sentence}"):
        read(AreaFile("areas", "Areas", path, "NAME"))


def test_a_shapefile_without_its_system_is_asked_for_it(tmp_path):
    file = file_of(tmp_path, SQUARES, file="areas.shp")
    (tmp_path / "areas.prj").unlink()
    with pytest.raises(
        DataFileError, match=r"areas.shp does not say in which reference system it is; .* \.prj"
    ):
        read(file)


def test_a_changed_file_is_read_anew_and_an_unknown_set_is_a_sentence(tmp_path):
    import os

    file = file_of(tmp_path, SQUARES)
    assert len(read(file)) == 2
    file_of(tmp_path, {"only": SQUARES["west"]})
    os.utime(file.path, ns=(1, 1))
    assert len(read(file)) == 1
    with pytest.raises(ChoiceError, match="no areas 'moon' in topic.toml; it has countries"):
        polygons.chosen(TOPIC, "moon")

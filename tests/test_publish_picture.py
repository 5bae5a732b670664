"""Pictures that leave: every mandatory part is on the page, inside it, whole and on nothing else.

The structure is read from the drawing (``Page.parts``), so all sizes and languages are tried without drawing a
pixel. Three small pictures are compared with those in ``tests/golden``; after a wished change of how pictures
look, ``UPDATE_GOLDEN=1 pytest tests/test_publish_picture.py`` writes them anew, to be looked at.
"""

from __future__ import annotations

import io
import os
import re
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PdfReader
from pyproj import Geod

from publish import Options, made, marks
from publish.basemap import around, extent_of, filled, ground, metres_across, projection_for, round_length
from publish.lettering import face_of, fitted, wrapped
from publish.map_part import MapPart, surroundings
from publish.page import LOOKS, Box, Page
from publish.picture import laid_out, moment
from publish.sizes import SIZES, Size, size_named
from situation.snapshot import Changed
from situation.status import STYLE
from situation.visible import one_line
from tests import picture_kit as kit

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
MANDATORY = {
    "title", "sentence", "map", "locator", "scale", "projection", "legend", "no-data", "limit", "as-of", "period",
    "counts", "sources", "producer", "link", "credit",
}  # fmt: skip


def texts(page: Page) -> str:
    """Give all that is written on a page, without the marks that say which way it runs."""
    said = []
    for name, artists in page._artists.items():
        said += [
            f"{name}: " + " ".join(artist.get_text() for artist in artists if hasattr(artist, "get_text"))
        ]
    return re.sub("[\u200e\u200f\u2066\u2069]", "", "\n".join(said))


def faults(page: Page, mandatory=MANDATORY) -> list[str]:
    """Say what is wrong with a page: parts missing, outside, on top of one another."""
    parts = page.parts()
    whole = Box(0, 0, page.wide, page.high)
    found = [f"{name} is missing" for name in mandatory - set(parts)]
    found += [f"{name} is not inside the page: {box}" for name, box in parts.items() if not whole.holds(box)]
    names = sorted(parts)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            nested = page.inside.get(one) == other or page.inside.get(other) == one
            if not nested and parts[one].overlaps(parts[other]):
                found.append(f"{one} and {other} overlap: {parts[one]} {parts[other]}")
    outer = page.inside.items()
    return found + [f"{part} is not inside {it}" for part, it in outer if not parts[it].holds(parts[part])]


@cache
def hostile():
    """Make a snapshot whose every text is 300 hostile signs, with every mark that a picture can bear."""
    text = kit.HOSTILE[:300]
    table = kit.sites(60, sources=40)
    table["attribution"] = [f"{number} {text}" for number in range(60)]
    table["licence"] = text
    shot = kit.snapshot(table, title=text, changed=Changed(withdrawn=3), simulated=True, unaccepted=True)
    return replace(
        shot,
        topic=replace(shot.topic, producer=text, contact=text, time_zone="Australia/Adelaide"),
        standard=replace(shot.standard, title=text),
        limit=replace(shot.limit, reference=text, verified_by=text),
    )


SNAPSHOTS = {
    "usual": kit.snapshot,
    "hostile": hostile,
    "arabic": lambda: kit.snapshot(language="ar", title=kit.ARABIC, simulated=True),
    "hindi": lambda: kit.snapshot(language="hi", title=f"{kit.HINDI}; {kit.HINDI}; {kit.HINDI}"),
    "one long word": lambda: kit.snapshot(title="x" * 300),
    "no link": lambda: kit.snapshot(base_url=None),
    "empty": lambda: kit.snapshot(kit.sites(0)),
}


def wrong_sizes(shot, sizes):
    """Give what is wrong with a snapshot, by size."""
    found = {size: faults(laid_out(shot, size, "print")) for size in sizes}
    return {size: said for size, said in found.items() if said}


@pytest.mark.parametrize(
    ("key", "sizes"),
    [("hostile", SIZES), ("arabic", ["850x600", "a4-portrait"]), ("hindi", ["850x600"]),
     ("one long word", ["square"]), ("no link", ["850x600"]), ("empty", ["a4"])],
)  # fmt: skip
def test_everything_is_on_the_page_whole_and_on_nothing_else(key, sizes):
    assert wrong_sizes(SNAPSHOTS[key](), sizes) == {}


@pytest.mark.torture
@pytest.mark.parametrize("key", SNAPSHOTS)
def test_everything_is_on_the_page_in_every_size(key):
    assert wrong_sizes(SNAPSHOTS[key](), SIZES) == {}


@pytest.mark.parametrize("size", ["850x600", "a3-portrait"])
def test_the_sentence_and_what_it_rests_on_are_never_shortened(size):
    page = laid_out(hostile(), size)
    assert not page.cut & {
        "title",
        "sentence",
        "more",
        "counts",
        "as-of",
        "period",
        "no-data",
        "scale",
        "locator",
    }
    said = texts(page)
    assert one_line(hostile().said.lead) in " ".join(said.split())
    more = next(line for line in said.splitlines() if line.startswith("more: "))
    assert more.rstrip().endswith(".")


def test_a_picture_says_what_it_shows_and_how_to_get_it_again():
    shot = kit.snapshot()
    said = texts(laid_out(shot))
    for text in (
        "50 mg/L as NO3", shot.standard.title, "2026-06-30 09:30 UTC", "Data version 7", "60\u00a0sites", "240\u00a0readings",
        "60\u00a0sites not verified", "inconclusive", "old", "No data is not safe", "Wells group 0 (CC-BY-4.0)",
        "Made by Friends of the river", "Contact: wells@example.org", "https://map.example.org/s/abcde23456", "GSHHG",
        "Checked against a second text", "Switzerland",
    ):  # fmt: skip
        assert text in said, text
    for _, words, n in shot.by_status:
        assert words in said
        assert str(n) in said


def test_without_a_public_address_the_picture_says_how_to_make_it_again():
    page = laid_out(kit.snapshot(base_url=None))
    said = texts(page)
    assert "code" not in page.parts()
    assert "python -m commonsight snapshot" in said
    assert "example.org/s/" not in said


def test_what_is_simulated_not_accepted_or_changed_since_is_said_over_the_map_and_within_it():
    page = laid_out(hostile())
    said = texts(page)
    for mark in ("SIMULATED", "NOT ACCEPTED", "CHANGED SINCE: 3"):
        assert mark in said
    parts = page.parts()
    for key in ("mark-simulated", "mark-unaccepted", "mark-changed"):
        assert parts[key].wide == pytest.approx(parts["map"].wide)
        assert parts[key].bottom <= parts["map"].top
    axes = page.figure.axes[0]
    assert [text.get_text() for text in axes.texts].count("SIMULATED") == 6
    plain = laid_out(kit.snapshot())
    assert not any(name.startswith("mark-") for name in plain.parts())


def test_a_limit_that_nobody_checked_and_readings_without_a_licence_are_named():
    shot = kit.snapshot()
    table = shot.sites.assign(licence="unknown")
    shot = replace(shot, sites=table, limit=replace(shot.limit, verified=False))
    said = texts(laid_out(shot))
    assert "Not yet checked against a second text." in said
    assert "licence not stated" in said
    assert "Not compared with any limit." in texts(laid_out(kit.snapshot(standard="nothing")))


def test_a_long_list_of_sources_says_how_many_more_there_are():
    table = kit.sites(60)
    table["attribution"] = [f"Contributor number {number} of the wells" for number in range(60)]
    said = texts(laid_out(kit.snapshot(table)))
    shown = said.count("Contributor number")
    assert 1 < shown < 60
    assert f"and {60 - shown} more" in said


def test_the_moment_is_told_with_its_zone():
    shot = kit.snapshot()
    assert moment(shot) == "2026-06-30 09:30 UTC"
    there = replace(shot, topic=replace(shot.topic, time_zone="Australia/Adelaide"))
    assert moment(there) == "2026-06-30 19:00 Australia/Adelaide (UTC+09:30)"


# ---- type ---------------------------------------------------------------------------------------


def test_arabic_runs_from_right_to_left_and_quantities_in_it_do_not():
    face = face_of("ar", right_to_left=True)
    assert face.directed("الحد 50 mg/L as NO3 في 13") == "\u200fالحد \u206650 mg/L as NO3\u2069 في 13"
    assert face.directed("بتاريخ 2026-10-07.") == "\u200fبتاريخ \u20662026-10-07\u2069."
    assert face.directed("وعددها 79 (16 %)") == "\u200fوعددها 79 (16 %)"
    assert face.directed("Basemap") == "\u200eBasemap"
    page, mirrored = laid_out(kit.snapshot()), laid_out(kit.snapshot(language="ar"))
    left = page.figure.axes[0].get_position().x0
    right = mirrored.figure.axes[0].get_position().x1
    assert left == pytest.approx(1 - right, abs=1e-3)


@pytest.mark.parametrize("language", ["ar", "hi"])
def test_letters_that_join_are_narrower_than_alone(language):
    word = {"ar": "النترات", "hi": "नाइट्रेट"}[language]
    face = face_of(language, right_to_left=language == "ar")
    alone = sum(face.width(letter) for letter in word)
    assert face.width(word) < 0.95 * alone
    assert face_of(language, bold=True).width(word) > face_of(language).width(word)


def test_a_text_is_broken_into_lines_that_fit_and_nothing_is_lost():
    face = face_of("en")
    text = "Wells " + "and more wells " * 12 + "W" * 90
    lines = wrapped(text, 120, 8, face)
    assert lines.wide <= 120
    assert "".join(lines.lines).replace(" ", "") == text.replace(" ", "")
    short = fitted(text, 120, 30, size=9, least=7, face=face)
    assert short.shortened
    assert short.lines[-1].endswith("…")
    assert short.wide <= 120
    assert short.high <= 30


def test_hostile_text_loses_what_turns_or_ends_it_and_keeps_the_rest():
    assert one_line(kit.HOSTILE).startswith("{{7*7}}</script>=1+1 evil $x^2$ 😀 very long name")
    assert one_line(None) == ""
    assert one_line(float("nan")) == ""


# ---- the map ------------------------------------------------------------------------------------

BOXES = {
    "a valley": (127.0, -30.75, 127.32, -30.55), "a well": (8.5, 47.3, 8.5, 47.3), "Europe": (-10, 36, 30, 60),
    "Africa": (-18, -35, 52, 38), "Svalbard": (10, 76, 30, 81), "the Arctic": (-180, 70, 180, 90), "the world": (-180, -90, 180, 90),
    "Antarctica": (-180, -90, 180, -62), "Fiji": (177, -19, 180, -16),
}  # fmt: skip


@pytest.mark.parametrize("name", BOXES)
def test_the_scale_bar_is_as_long_as_the_ground_in_the_middle_of_the_map(name):
    page = Page(size_named("850x600"), LOOKS["light"], "en")
    part = MapPart(kit.snapshot(kit.sites(0), box=BOXES[name]), page, Box(20, 80, 400, 380))
    metres, points = part.bar()
    assert str(metres)[0] in "125"
    assert points <= 0.3 * 380 + 1e-6
    x, y = (part.extent[0] + part.extent[2]) / 2, (part.extent[1] + part.extent[3]) / 2
    half = points / part.per_metre / 2
    lon, lat = part.projection.back(np.array([x - half, x + half]), np.array([y, y]))
    _, _, true = Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])
    assert true == pytest.approx(metres, rel=0.02)


@pytest.mark.parametrize(
    ("most", "length"), [(99.0, 50.0), (100.0, 100.0), (19_999.0, 10_000.0), (0.21, 0.2)]
)
def test_a_scale_bar_has_a_round_length(most, length):
    assert round_length(most) == pytest.approx(length)


def test_the_projection_suits_the_box_and_north_is_shown_where_it_is_not_up():
    kinds = {name: projection_for(around(box)).kind for name, box in BOXES.items()}
    assert kinds == {
        "a valley": "mercator", "a well": "mercator", "Europe": "mercator", "Africa": "laea", "Svalbard": "laea",
        "the Arctic": "laea", "the world": "eqearth", "Antarctica": "laea", "Fiji": "mercator",
    }  # fmt: skip
    assert "north" not in laid_out(kit.snapshot()).parts()
    africa = kit.snapshot(kit.sites(30, BOXES["Africa"]), box=BOXES["Africa"])
    assert faults(laid_out(africa), MANDATORY | {"north"}) == []
    world = kit.snapshot(kit.sites(30, (-170, -60, 170, 70)), box=BOXES["the world"])
    assert faults(laid_out(world), MANDATORY - {"locator"}) == []


@pytest.mark.parametrize(
    ("place", "land"),
    [
        ((8.5, 47.3), True),
        ((-30.0, 40.0), False),
        ((31.5, 46.0), False),
        ((0.5, -80.0), True),
        ((33.0, -1.0), False),
    ],
)
def test_the_ground_is_land_where_there_is_land(place, land):
    box = around((place[0] - 3, place[1] - 3, place[0] + 3, place[1] + 3))
    projection = projection_for(box)
    under = ground(projection, filled(extent_of(projection, box), 300, 300), 2_000.0)
    x, y = projection.forward(np.array([place[0]]), np.array([place[1]]))
    dry = [path.contains_point((x[0], y[0])) for path in (under.land, under.lakes) if len(path.vertices)]
    assert (dry[0] and not any(dry[1:]) if dry else False) is land


@pytest.mark.parametrize("box", [(-113.0, -4.5, 39.6, 44.0), (20.0, -50.0, 179.0, 60.0)])
def test_no_shape_is_drawn_right_across_a_map_of_half_the_world(box):
    """About another middle than Greenwich the map ends at a meridian that runs through land."""
    projection = projection_for(box)
    under = ground(projection, filled(extent_of(projection, box), 300, 225), 40_000.0)
    for path in (under.land, under.lakes, under.coast, under.borders, under.rivers, under.graticule):
        drawn = np.isin(path.codes[1:], (path.LINETO,))
        assert np.abs(np.diff(path.vertices[:, 0]))[drawn].max(initial=0.0) < 5e6


def test_the_inset_says_the_country_and_covers_no_site():
    assert surroundings((127.0, -30.7, 127.3, -30.5))[0] == "Australia"
    assert surroundings((-180.0, -90.0, 180.0, 90.0))[0] == ""
    table = kit.sites(400)
    shot = kit.snapshot(table)
    for size in ("850x600", "a4-portrait"):
        page = laid_out(shot, size)
        frame = page.parts()["map"]
        part = MapPart(shot, page, frame)
        left, low, wide, high = page.bounds(part.corner)
        x, y = part._places(part.extent).T
        assert not ((x > left) & (x < left + wide) & (y > low) & (y < low + high)).any()


# ---- marks --------------------------------------------------------------------------------------


def drawn_on(number, **more):
    """Draw sites on axes of their own; gives what was added."""
    page = Page(Size(600, 400, 100), LOOKS["light"], "en")
    shot = kit.snapshot(kit.sites(number, **more))
    part = MapPart(shot, page, Box(10, 10, 400, 280))
    axes = page.axes("map", part.frame)
    marks.draw(axes, shot.sites, shot.topic, part.projection, part.extent, page, part.per_metre)
    return shot, axes


def test_the_worst_is_drawn_on_top_in_the_map_s_own_colours_and_shapes():
    shot, axes = drawn_on(300, stale=0, hidden=0)
    level = {}
    for status in STYLE:
        outline = marks.shape(STYLE[status].shape)
        mine = [c for c in axes.collections if c.get_paths()[0] is marks.layers_of(status)[0].path]
        mine = [c for c in mine if len(c.get_offsets()) == (shot.sites["status"] == status).sum()]
        assert mine
        assert mine[0].get_paths()[0].vertices.shape == outline.vertices.shape
        level[status] = mine[0].get_zorder()
    order = sorted(STYLE, key=lambda status: STYLE[status].order)
    assert sorted(level, key=level.get, reverse=True) == order


def test_private_places_are_drawn_as_their_square_and_old_readings_pale():
    shot, axes = drawn_on(80, hidden=1.0, stale=0)
    squares = next(c for c in axes.collections if type(c).__name__ == "PolyCollection")
    cells = shot.sites[["longitude", "latitude"]].drop_duplicates()
    assert len(squares.get_paths()) == len(cells)
    width = np.ptp(squares.get_paths()[0].vertices[:, 0])
    assert width >= 0.99 * shot.topic.grid_m
    assert marks.layers_of("above", stale=True)[0].face == marks.pale(STYLE["above"].colour)


def test_many_sites_become_squares_that_hold_them_all(monkeypatch):
    monkeypatch.setattr(marks, "MOST_SINGLE", 500)
    shot, axes = drawn_on(2_000, statuses=("below",), stale=0)
    assert sum(int(text.get_text()) for text in axes.texts) == len(shot.sites)
    said = texts(laid_out(shot))
    assert "Square with a number" in said
    assert "In a square" not in said


# Machado, Oliveira and Fernandes 2009, table 1: severity 1.0, for linear RGB.
EYES = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour: str, eyes: str) -> np.ndarray:
    """Give a colour as eyes see it, in CIELAB under D65 (IEC 61966-2-1 and CIE 15)."""
    encoded = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(EYES[eyes]) @ linear, 0, 1)
    xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    part = xyz @ seen / (0.95047, 1.0, 1.08883)
    f = np.where(part > 216 / 24389, np.cbrt(part), (24389 / 27 * part + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("look", LOOKS)
def test_signs_stand_out_from_land_and_water_and_from_each_other_for_every_eye(look, eyes):
    """CIE76 differences: 10 is plainly another colour, 2.3 just seen (Mahy, Van Eycken and Oosterlinck 1994)."""
    signs = {status: style.colour for status, style in STYLE.items()}
    for status, colour in signs.items():
        for ground_ in (LOOKS[look].land, LOOKS[look].water):
            assert np.linalg.norm(lab(colour, eyes) - lab(ground_, eyes)) > 20, (status, ground_)
            # A pale sign keeps the full colour in its edge and its dot.
            assert marks.layers_of(status, stale=True)[-1].face != ground_
    for one in signs:
        for other in signs:
            if one < other:
                assert np.linalg.norm(lab(signs[one], eyes) - lab(signs[other], eyes)) > 10, (one, other)


# ---- files --------------------------------------------------------------------------------------


SMALL = Options(size="850x600@50")


@cache
def plain():
    """Make a snapshot of few sites."""
    return kit.snapshot(kit.sites(25))


@cache
def file_of(ending):
    """Write it once."""
    return made(plain(), ending, SMALL)


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_the_same_snapshot_is_the_same_bytes(ending):
    assert made(plain(), ending, SMALL) == file_of(ending)


def test_a_file_says_what_it_is_and_nothing_about_who_made_it():
    shot = plain()
    png = Image.open(io.BytesIO(file_of("png")))
    assert png.size == (425, 300)
    assert png.info["Title"] == shot.title
    assert png.info["Description"] == one_line(shot.said.text)
    assert png.info["Source"] == shot.permalink
    svg = file_of("svg").decode()
    assert f"<dc:title>{shot.title}</dc:title>" in svg
    for never in ("<dc:date>", "<script", str(Path.home()), str(Path.cwd())):
        assert never not in svg
    pdf = PdfReader(io.BytesIO(file_of("pdf")))
    assert pdf.metadata["/Title"] == shot.title
    assert "/CreationDate" not in pdf.metadata
    assert "50 mg/L as NO3" in pdf.pages[0].extract_text()
    fonts = [font.get_object() for font in pdf.pages[0]["/Resources"]["/Font"].values()]
    assert {font["/Subtype"] for font in fonts} == {"/Type3"}  # the letters themselves are in the file


def test_hostile_text_comes_out_as_text_in_svg():
    svg = made(hostile(), "svg", SMALL).decode()
    assert "{{7*7}}&lt;/script&gt;=1+1" in svg
    assert "\u202e" not in svg
    assert "</script>" not in svg


def test_two_threads_draw_what_one_draws():
    alone, found = file_of("png"), []
    threads = [threading.Thread(target=lambda: found.append(made(plain(), "png", SMALL))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 2


GOLDENS = {
    "valley": (lambda: kit.snapshot(kit.sites(40)), "850x600@72", "light"),
    "arabic": (lambda: kit.snapshot(kit.sites(40), language="ar", title=kit.ARABIC, simulated=True), "square@50", "print"),
    "pole": (lambda: kit.snapshot(kit.sites(30, BOXES["the Arctic"]), box=BOXES["the Arctic"]), "850x600@60", "light"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDENS)
def test_a_picture_looks_as_it_did(name):
    """Another build of FreeType or of Agg moves an edge by a shade; a part that moved is a third of its pixels."""
    snapshot, size, look = GOLDENS[name]
    body = made(snapshot(), "png", Options(size=size, look=look))
    path = GOLDEN / f"{name}.png"
    if UPDATE:
        Image.open(io.BytesIO(body)).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    wanted, found = (
        np.asarray(Image.open(file).convert("L"), "float64") for file in (path, io.BytesIO(body))
    )
    assert wanted.shape == found.shape
    off = np.abs(wanted - found) > 48
    assert off.mean() < 0.004, f"{off.mean():.2%} of the pixels differ; see UPDATE_GOLDEN in this file"


@pytest.mark.torture
def test_a_million_sites_are_drawn_in_seconds():
    box = BOXES["Europe"]
    shot = kit.snapshot(kit.sites(1_000_000, box), box=box)
    body = made(shot, "png", Options())
    assert faults(laid_out(shot)) == []
    assert len(body) > 10_000


def test_nothing_of_the_drawing_is_left_in_matplotlib_s_own_list_of_figures():
    laid_out(kit.snapshot(kit.sites(5)))
    import sys

    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    assert isinstance(laid_out(kit.snapshot(kit.sites(5))).figure, Figure)


def test_the_middle_of_a_map_is_measured_on_the_ellipsoid():
    box = around(BOXES["a valley"])
    projection = projection_for(box)
    true, latitude = metres_across(projection, extent_of(projection, box))
    assert true == pytest.approx(1.0, abs=1e-3)
    assert latitude == pytest.approx(-30.65, abs=0.01)

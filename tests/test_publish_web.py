"""The page that leaves as one file: whole, small, the same each time, and deaf to what strangers write."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import publish
import store
from layers import frozen
from publish import markup, web
from publish.ground import ground
from situation.messages import written_languages
from situation.settings import settings
from situation.snapshot import Surface
from situation.status import STATUSES, STYLE
from situation.topic import WORLD
from situation.view import View
from situation.visible import visible
from tests.some_wells import LAT, LON, NOW, WELLS, put, readings

HOSTILE = [
    "{{7*7}}", "</script><script>window.broken = 1</script>", "<img src=x onerror=alert(1)>", "=1+1",
    "abc\u202edef", "x" * 300, "well \U0001f4a7", "nul\0nul", "$x$ & \\frac", "\"' onload=alert(1) '\"",
    "]]>-->", "\u2028line", "بئر ١", "कुआँ",
]  # fmt: skip


class Read(HTMLParser):
    """What a browser would find: elements with their attributes, and the text of each cell and heading."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.append((tag, ""))

    def handle_data(self, data):
        if self.texts:
            tag, before = self.texts[-1]
            self.texts[-1] = (tag, before + data)

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]

    def said(self, name):
        return [words.strip("\n") for tag, words in self.texts if tag == name]


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_STORE", f"duckdb:{tmp_path_factory.mktemp('web') / 'wells'}")
        patch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org")
        put(readings())
        place = store.shared(settings().active_store_url)
        view = View.from_params({"property": "nitrate", "standard": "who_drinking_water"})
        yield frozen.keep(place, frozen.freeze(place, view, NOW), NOW, who="ana")


def of_many(shot, n, box=(-3.5, 50.0, 1.5, 53.0)):
    """Spread as many sites over a box."""
    random = np.random.default_rng(7)
    sites = shot.sites.sample(n, replace=True, random_state=7).reset_index(drop=True)
    sites["longitude"], sites["latitude"] = random.uniform(*box[::2], n), random.uniform(*box[1::2], n)
    sites["monitoring_location_id"] = [f"usgs:USGS-{number:08d}" for number in range(n)]
    sites["monitoring_location_name"] = [f"Well {number} at the school" for number in range(n)]
    return dataclasses.replace(shot, sites=frozen.in_order(sites), box=box)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_the_table_is_every_site_the_worst_first_and_the_map_is_given_the_same(shot):
    page = web.document(shot)
    read, data = Read(page), data_of(page)
    assert len(read.all("tr")) - 1 == len(shot.sites) == len(WELLS) == len(data["code"])
    codes = [STATUSES.index(status) for status in shot.sites["status"]]
    order = sorted(STATUSES, key=lambda status: STYLE[status].order)
    assert [order[int(code)] for code in data["code"]] == [STATUSES[code] for code in codes]
    assert "80 mg/L as NO3" in read.said("td")
    assert "< 0.5 mg/L as NO3" in read.said("td")
    assert "2019-01-01 · old" in read.said("td")
    # Every class is counted, also one that nothing belongs to.
    assert [int(words) for words in read.said("b")[: len(STATUSES)]] == [n for _, _, n in shot.by_status]
    assert data["old"].count("1") == shot.counts.stale
    assert [sign["colour"] for sign in data["signs"]] == [STYLE[status].colour for status in order]
    assert {style.shape for style in STYLE.values()} <= set(markup.SHAPES)


def test_everything_that_must_be_said_is_on_the_page(shot):
    page = web.document(shot)
    words = " ".join(text for _, text in Read(page).texts)
    for said in (
        shot.title, shot.said.lead, shot.said.rest, shot.limit.text(), shot.limit.reference, shot.standard.title,
        f"data version {shot.version}", "2026-06-30 00:00 UTC", "No mark does not mean no problem",
        "CC0-1.0", "the tests", shot.permalink, f"{shot.permalink}/data.zip", "GSHHG",
    ):  # fmt: skip
        assert (said in words) or (said in page), said
    assert [one["aria-label"] for one in Read(page).all("div") if one.get("id") == "map"] == [shot.said.text]
    gone = dataclasses.replace(shot, changed=dataclasses.replace(shot.changed, corrected=2, withdrawn=1))
    assert "(withdrawn: 1, corrected: 2)" in web.document(gone)
    made_up = dataclasses.replace(shot, simulated=True, unaccepted=True)
    assert web.document(made_up).count('class="notice"') == web.document(shot).count('class="notice"') + 2


def test_the_page_asks_nobody_for_anything_and_says_so_to_the_browser(shot):
    page = web.document(shot)
    read = Read(page)
    assert [
        tag for tag, _ in read.elements if tag in ("link", "img", "iframe", "object", "embed", "base")
    ] == []
    assert [
        one for tag, one in read.elements if tag != "a" and {"src", "href", "action", "style"} & set(one)
    ] == []
    assert [one for one in read.all("a") if not one["href"].startswith(("#", "https://"))] == []
    rule = next(one["content"] for one in read.all("meta") if "http-equiv" in one)
    assert rule.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in rule
    assert "http" not in rule
    texts = re.findall(r"<(script|style)>(.*?)</\1>", page, re.S)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for _, text in texts]
    assert sorted(re.findall(r"'sha256-([^']+)'", rule)) == sorted(digests)
    # What stands in the texts themselves is only ever an address to be read or followed, or data.
    assert set(re.findall(r"url\(([^)]*)\)", texts[0][1])) == {"#default#VML"}


def test_what_strangers_write_is_text_and_nothing_else(shot):
    sites = pd.concat([shot.sites.iloc[[0]]] * len(HOSTILE), ignore_index=True)
    sites = sites.assign(
        monitoring_location_name=HOSTILE, monitoring_location_id=HOSTILE, attribution=HOSTILE, licence=HOSTILE
    )
    topic = dataclasses.replace(shot.topic, producer=HOSTILE[1], contact=HOSTILE[2])
    nasty = dataclasses.replace(shot, sites=sites, title=HOSTILE[1] + "\ud800", topic=topic)
    for page in (web.document(nasty), web.document(nasty, web.Form(compact=True))):
        page.encode()
        read = Read(page)
        cells = [words for words in read.said("th") if words in map(visible, HOSTILE)]
        assert cells == list(map(visible, HOSTILE))
        assert len(read.all("script")) == 3
        assert not [one for _, one in read.elements if any(name.startswith("on") for name in one)]
        assert not re.search("[\0\u202e\ud800]", page)
        assert read.said("title") == [HOSTILE[1]]


@given(st.text())
def test_any_text_comes_back_from_an_element_as_it_was_without_what_nobody_sees(text):
    read = Read(markup.tag("p", text, title=text))
    assert read.all("p") == [{"title": visible(text)}]
    assert "".join(words for _, words in read.texts) == visible(text)
    assert len(read.elements) == 1


def test_no_private_place_and_no_private_name_is_in_the_file(shot):
    page = web.document(shot)
    for secret in ("Family", "Jones", "home-1", "home-2", f"{WELLS[-1][3]:.4f}", f"{WELLS[-1][4]:.4f}"):
        assert secret not in page


def test_a_hidden_site_is_a_square_as_wide_as_its_cell_and_one_without_a_place_is_in_the_table_only(shot):
    rules = ["blurred", "area", "withheld"] + ["exact"] * (len(shot.sites) - 3)
    sites = shot.sites.assign(position_rule=rules, longitude=LON, latitude=LAT)
    sites.loc[2, ["longitude", "latitude"]] = np.nan
    page = web.document(dataclasses.replace(shot, sites=sites))
    half = data_of(page)["half"]
    wide = [2 * 111_320 * half[row][1] for row in ("0", "1")]
    assert wide == pytest.approx([shot.topic.grid_m, shot.topic.area_m], rel=1e-3)
    assert len(half) == 2
    assert half["0"][0] * np.cos(np.radians(LAT)) == pytest.approx(half["0"][1], rel=1e-3)
    assert Read(page).said("td")[3::5][1:3] == [f"{LAT:.5f}, {LON:.5f}", "–"]
    assert "A square with a sign in it" in page


def test_two_thousand_sites_are_far_below_the_size_that_a_mail_takes(shot):
    page = web.document(of_many(shot, 2_000)).encode()
    assert len(page) < 700_000
    assert len(data_of(page.decode())["code"]) == 2_000


def test_many_sites_become_squares_and_the_table_says_what_it_leaves_out(shot):
    many = of_many(shot, 5_000)
    many.sites.loc[0, ["longitude", "latitude"]] = np.nan
    page = web.document(many)
    data = data_of(page)
    assert not data["marks"]
    assert np.sum(data["cells"]["n"]) == 4_999
    assert len(data["cells"]["x"]) <= 2_000
    totals = {status: n for status, _, n in many.by_status}
    assert np.sum(data["cells"]["n"], axis=1)[1:].tolist() == list(totals.values())[1:]
    assert page.count("<tr><th scope=row>") == web.MOST_MARKS
    assert "2\u202f000 more are on the map" in page
    assert len(page.encode()) < 1_000_000
    # A square lies where its sites are: west and east of it in degrees.
    k, x = data["cells"]["k"], np.array(data["cells"]["x"])
    assert ((x + 1) / k * 360 - 180).max() >= many.sites["longitude"].max() > (x / k * 360 - 180).max()


def test_the_same_snapshot_is_the_same_file(shot, tmp_path):
    one, other = tmp_path / "one.html", tmp_path / "other.html"
    publish.write(shot, one)
    publish.write(shot, other)
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().startswith(b"<!doctype html>\n<html")


@pytest.mark.parametrize("language", written_languages())
def test_the_page_speaks_the_snapshots_language_in_its_direction(shot, language):
    page = Read(web.document(dataclasses.replace(shot, language=language)))
    assert page.all("html") == [{"lang": language, "dir": "rtl" if language in ("ar", "he", "fa") else "ltr"}]


def test_in_a_frame_it_keeps_source_date_and_the_way_to_the_whole(shot):
    full = Read(web.document(shot, web.Form(compact=True, home="s/abc")))
    link = next(one for one in full.all("a") if one.get("target") == "_top")
    assert link["href"] == "s/abc"
    assert "frozen picture" in " ".join(full.said("span"))
    assert next(one for one in full.all("details") if one["id"] == "sites")
    bare = Read(web.document(shot, web.Form(compact=True, legend=False, table=False)))
    assert [one["id"] for one in bare.all("details") if "hidden" not in one] == []
    assert not [one for one in bare.all("a") if one["href"] == "#sites"]


def test_an_empty_picture_and_one_without_a_limit_are_pages_too(shot):
    empty = dataclasses.replace(shot, sites=shot.sites.iloc[:0], limit=None, standard=None)
    page = web.document(empty)
    assert "There is no limit to compare with." in page
    assert data_of(page)["code"] == ""


def test_a_time_says_no_more_than_is_known(shot):
    precision = ["year", "month", "day", "second"] + ["day"] * (len(shot.sites) - 4)
    sites = shot.sites.assign(phenomenon_time_precision=precision)
    sites["phenomenon_time"] = pd.Timestamp("2026-05-01T12:00Z")
    said = Read(web.document(dataclasses.replace(shot, sites=sites))).said("td")
    assert [day.removesuffix(" · old") for day in said[2::5]][:4] == [
        "2026",
        "2026-05",
        "2026-05-01",
        "2026-05-01",
    ]


@pytest.mark.parametrize("box", [(24.0, 60.0, 26.0, 61.0), WORLD, (7.0, 46.0, 7.0, 46.0)])
def test_the_ground_is_small_and_where_it_was(shot, box):
    under = ground(dataclasses.replace(shot, box=box))
    packed = under.packed()
    assert len(json.dumps(packed)) < 120_000
    lines = [line for _, lines in under.shapes for line in lines]
    steps = [line for _, lines in packed["shapes"] for line in lines]
    for line, written in zip(lines, steps, strict=True):
        read = np.cumsum(np.reshape(written, (-1, 2)), axis=0) * under.step
        assert np.abs(read - shapely.get_coordinates(line)).max() <= under.step / 2 + 1e-9
    assert {kind for kind, _ in packed["shapes"]} <= set(packed["ink"])
    assert any(kind == "land" for kind, _ in packed["shapes"])


def _bright(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_their_ground(theme):
    block = re.findall(r":root \{([^}]*)\}", web.own_style())[theme]
    colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    pairs = [(ink, ground) for ink in ("ink", "soft", "link") for ground in ("ground", "row")] + [
        ("on-mark", "mark")
    ]
    for ink, under in pairs:
        low, high = sorted((_bright(colour[ink]), _bright(colour[under])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, under)


def test_what_lies_between_the_sites_is_drawn_and_named_and_what_was_refused_is_said(shot):
    cells = np.array([[-1, -1, 0], [0, 1, 1]], "int8")
    between = Surface("estimate", "Estimated", "No <b>measurement</b>.", ("low", "high"), ("#440154", "#fde725"),
                      shot.box, cells)  # fmt: skip
    page = web.document(dataclasses.replace(shot, surface=between))
    said = data_of(page)["surface"]
    runs = np.reshape(said["runs"], (-1, 2))
    assert np.repeat(runs[:, 1], runs[:, 0]).reshape(said["high"], said["wide"]).tolist() == cells.tolist()
    assert said["colours"] == ["#440154", "#fde725"]
    read = Read(page)
    assert {"low", "high", "Estimated"} <= {*read.said("span"), *read.said("b")}
    assert "No <b>measurement</b>." in read.said("small")
    none = web.document(dataclasses.replace(shot, surface=Surface("estimate", refused="Too few places.")))
    assert "Too few places." in Read(none).said("p")
    assert data_of(none)["surface"] is None

"""The addresses of snapshots: pages, cards, files, frames; what they tell, to whom, and how often they work for it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import store
from layers import frozen
from routes import answer, workshop
from routes.asked import root_of
from situation.errors import ChoiceError
from situation.settings import settings
from situation.view import View
from tests.some_wells import LAT, LON, NASTY, NOW, WELLS, put, readings
from tests.test_publish_web import Read
from tests.test_routes import get

BROWSER = {"Accept": "text/html,*/*"}
BASE = "https://map.example.org"
HOME = WELLS[-2]
HIDDEN = ("Family", "Jones", "home-1", "home-2", f"{HOME[3]:.4f}", f"{HOME[4]:.4f}")
NITRATE = {"topic": "groundwater", "property": "nitrate", "standard": "who_drinking_water"}


def keep(**more):
    place = store.shared(settings().active_store_url)
    shot = frozen.freeze(place, View.from_params(NITRATE), NOW, **more)
    return frozen.keep(place, shot, NOW, who="ana")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Keep one snapshot for all tests that only read."""
    url = f"duckdb:{tmp_path_factory.mktemp('snapshots') / 'wells'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_STORE", url)
        patch.setenv("COMMONSIGHT_BASE_URL", BASE)
        put(readings())
        yield url, keep()


@pytest.fixture
def shot(kept, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_STORE", kept[0])
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", BASE)
    return kept[1]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give a store that may change."""
    monkeypatch.setenv("COMMONSIGHT_STORE", f"duckdb:{tmp_path / 'wells'}")
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", BASE)
    return store.shared(settings().active_store_url)


def metas(page):
    return {
        one.get("property") or one.get("name"): one.get("content")
        for one in Read(page.body.decode()).all("meta")
    }


# ---- the page -----------------------------------------------------------------------------------


def test_a_pasted_link_finds_a_card_with_absolute_addresses(shot):
    page = get(f"/s/{shot.id}", BROWSER, lang="fr")
    said = metas(page)
    assert said["og:url"] == f"{BASE}/s/{shot.id}?lang=fr"
    assert said["og:image"] == f"{BASE}/s/{shot.id}/card.png?lang=fr"
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "628")
    assert said["twitter:card"] == "summary_large_image"
    assert (
        said["og:description"]
        == frozen.reopen(store.shared(settings().active_store_url), shot.id, language="fr").said.lead
    )
    assert len(said["og:image:alt"]) > len(said["og:description"])


def test_the_page_says_what_it_shows_and_leads_on(shot):
    page = get(f"/s/{shot.id}", BROWSER)
    read, text = Read(page.body.decode()), page.body.decode()
    assert shot.said.lead in text
    assert [int(n) for n in read.said("td") if n.strip().isdigit()] == [n for _, _, n in shot.by_status]
    links = {one["href"] for one in read.all("a")}
    assert {
        f"{shot.id}/data.{ending}" for ending in ("csv", "xlsx", "geojson", "gpkg", "parquet", "kml", "zip")
    } <= links
    assert f"{shot.id}/data.csv?rows=readings" in links
    assert f"{shot.id}/picture.pdf?size=a3-portrait" in links
    app = next(link for link in links if link.startswith("../?"))
    assert "as_of=1" in app
    assert "at=2026-06-30T00%3A00Z" in app
    assert (
        f'<iframe src="{BASE}/embed?snapshot={shot.id}" title="Nitrate: Groundwater"'
        in read.said("textarea")[0]
    )
    assert read.all("script") == []
    assert read.all("img")[0]["alt"] == shot.said.text


def test_the_page_and_its_errors_stand_in_no_frame_and_run_no_script(shot):
    for address in (f"/s/{shot.id}", "/s/aaaaaaaaaa"):
        rule = get(address, BROWSER).headers["content-security-policy"]
        assert "default-src 'none'; script-src 'none'; style-src 'sha256-" in rule
        assert "frame-ancestors 'none'" in rule
        assert get(address, BROWSER).headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in get("/api/snapshot.html", **NITRATE).headers["content-security-policy"]
    for address in (f"/s/{shot.id}/map.html", f"/embed?snapshot={shot.id}", "/embed?snapshot=aaaaaaaaaa"):
        said = get(address, BROWSER).headers
        assert "frame-ancestors *" in said["content-security-policy"]
        assert "x-frame-options" not in said


def test_nothing_is_sent_again_that_the_browser_has(shot):
    for address in ("", "/map.html", "/data.csv", "/citation.json"):
        first = get(f"/s/{shot.id}{address}", BROWSER)
        again = get(f"/s/{shot.id}{address}", BROWSER | {"If-None-Match": first.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        assert get(f"/s/{shot.id}{address}", BROWSER, lang="fr").headers["etag"] != first.headers["etag"]


def test_without_a_public_address_links_are_for_whoever_asked(shot, monkeypatch):
    monkeypatch.delenv("COMMONSIGHT_BASE_URL")
    page = get(f"/s/{shot.id}", BROWSER)
    assert metas(page)["og:image"] == f"http://localhost/s/{shot.id}/card.png"
    assert page.headers["cache-control"] == "private, no-cache"
    assert f'href="{shot.id}/data.zip"' in page.body.decode()


@pytest.mark.parametrize("host", ["evil.example/'><script>", "", "a b", "x" * 300, "[::1", "evil.example:x"])
def test_a_host_that_is_none_is_refused(monkeypatch, host):
    monkeypatch.delenv("COMMONSIGHT_BASE_URL", raising=False)
    with pytest.raises(ChoiceError, match="not the name of a host"):
        root_of(
            Request({"type": "http", "scheme": "http", "path": "/", "headers": [(b"host", host.encode())]})
        )


def test_what_became_of_the_readings_is_said_with_the_way_to_the_picture_of_today(own):
    first = put(readings())
    was = keep()
    put(readings([("t:new", "New", "well", LON, LAT, 99.0, "2026-06-01")]), name="new.csv")
    newer = get(f"/s/{was.id}", BROWSER).body.decode()
    assert "2 readings came since" in newer
    assert "do not stand any more" not in newer
    own.withdraw(first.batch, "operator", operator=True)
    page = get(f"/s/{was.id}", BROWSER)
    text = page.body.decode()
    assert "withdrawn: 16" in text
    assert "withdrawn: 16" in get(f"/s/{was.id}/map.html").body.decode()
    today = next(
        one["href"]
        for one in Read(text).all("a")
        if one["href"].startswith("../?") and "as_of" not in one["href"]
    )
    assert today == "../?topic=groundwater&property=nitrate&standard=who_drinking_water"
    # The numbers are those of then.
    assert [int(n) for n in Read(text).said("td") if n.strip().isdigit()] == [n for _, _, n in was.by_status]


def test_a_snapshot_that_was_taken_away_is_gone_from_every_address_at_once(own):
    put(readings())
    was = keep()
    addresses = [f"/s/{was.id}{rest}" for rest in ("", "/map.html", "/data.csv")] + [
        f"/embed?snapshot={was.id}"
    ]
    assert [get(address).status for address in addresses] == [200] * 4
    own.remove_snapshot(was.id, "shows a <name>", at=NOW.isoformat())
    for address in addresses:
        assert get(address, {"Accept": "*/*"}).status == 404
    assert "taken away: shows a <name>" in get(addresses[0], {}).json["error"]
    page = get(addresses[0], BROWSER)
    assert "shows a &lt;name&gt;" in page.body.decode()
    assert {one["href"] for one in Read(page.body.decode()).all("a")} == {"../"}


@pytest.mark.parametrize(
    "address", ["/s/aaaaaaaaaa", "/s/..%2fledger", "/s/a/b/c", "/s/", "/embed/x", "/embed?snapshot=zz"]
)
def test_an_address_that_does_not_exist_is_404_and_not_the_start_page(shot, address):
    assert get(address).status == 404
    assert get(address).json["error"]


# ---- files --------------------------------------------------------------------------------------


def test_the_card_is_a_picture_of_the_size_that_the_page_says(shot):
    said = get(f"/s/{shot.id}/card.png")
    assert said.headers["content-type"] == "image/png"
    assert said.body[16:24] == (1200).to_bytes(4) + (628).to_bytes(4)
    assert said.headers["content-disposition"].startswith('inline; filename="groundwater-nitrate-v1')
    assert "sandbox" in said.headers["content-security-policy"]


def test_data_come_as_files_named_and_typed(shot):
    table = get(f"/s/{shot.id}/data.csv")
    assert len(table.rows) == len(shot.sites)
    assert table.headers["content-type"].startswith("text/csv")
    assert (
        table.headers["content-disposition"]
        == f'attachment; filename="groundwater-nitrate-v1-{shot.id}-en.csv"'
    )
    assert table.headers["x-content-type-options"] == "nosniff"
    every = get(f"/s/{shot.id}/data.csv", rows="readings")
    assert len(every.rows) == 2 * len(WELLS)
    places = get(f"/s/{shot.id}/data.geojson", {"Accept-Encoding": "gzip"})
    assert places.headers["content-encoding"] == "gzip"
    assert len(places.json["features"]) == len(shot.sites)
    cited = get(f"/s/{shot.id}/citation.json")
    assert cited.json[0]["URL"] == f"{BASE}/s/{shot.id}"


@pytest.mark.parametrize(
    "address",
    [
        "/s/{id}/picture.gif", "/s/{id}/data.png", "/s/{id}/data.html", "/s/{id}/picture.png?size=a9",
        "/s/{id}/picture.png?size=a4@9999", "/s/{id}/picture.png?look=neon", "/s/{id}/data.csv?rows=all",
        "/s/{id}?lang=xx", "/api/snapshot.exe", "/api/snapshot.png?property=none", "/embed?legend=2",
        "/api/snapshot.png?surface=sea", "/embed?surface=sea",
        "/api/snapshot.csv?at=2999-01-01T00:00Z", "/embed?at=2999-01-01T00:00Z",
        "/embed?review=all&property=nitrate", "/api/snapshot.png?size=1",
    ],
)  # fmt: skip
def test_a_wrong_question_is_a_sentence(shot, address):
    said = get(address.format(id=shot.id))
    assert said.status in (400, 403)
    assert said.json["error"].endswith(".")


def test_no_way_out_tells_where_a_household_is(shot):
    for address in (
        "/s/{id}", "/s/{id}/map.html", "/s/{id}/data.csv", "/s/{id}/data.csv?rows=readings", "/s/{id}/data.geojson",
        "/s/{id}/data.kml", "/s/{id}/citation.json", "/embed?snapshot={id}", "/embed?property=nitrate",
        "/api/snapshot.csv?property=nitrate",
    ):  # fmt: skip
        body = get(address.format(id=shot.id)).body.decode()
        assert [secret for secret in HIDDEN if secret in body] == [], address


def test_names_that_strangers_gave_do_nothing_on_any_page(own):
    put(readings())
    was = keep(title=NASTY)
    for address in (f"/s/{was.id}", f"/s/{was.id}/map.html", f"/embed?snapshot={was.id}"):
        read = Read(get(address, BROWSER).body.decode())
        assert NASTY in read.said("h1")
        assert len(read.all("script")) in (0, 3)


# ---- what stands now, and frames ----------------------------------------------------------------


def test_a_live_file_is_made_again_only_when_the_data_move(own):
    put(readings())
    first = get("/api/snapshot.csv", **NITRATE)
    assert len(first.rows) == len(WELLS)
    assert get("/api/snapshot.csv", {"If-None-Match": first.headers["etag"]}, **NITRATE).status == 304
    put(readings([("t:new", "New", "well", LON, LAT, 99.0, "2026-06-01")]), name="new.csv")
    moved = get("/api/snapshot.csv", {"If-None-Match": first.headers["etag"]}, **NITRATE)
    assert len(moved.rows) == len(WELLS) + 1
    assert own.published() == []


def test_what_nobody_accepted_is_for_who_may_see_it_and_for_no_cache(own, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_OPERATOR_KEY", "secret")
    put(readings(), accept=False)
    assert get("/api/snapshot.csv", **NITRATE, review="all").status == 403
    said = get("/api/snapshot.csv", {"X-Commonsight-Key": "secret"}, **NITRATE, review="all")
    assert len(said.rows) == len(WELLS)
    assert said.headers["cache-control"] == "private, no-store"
    assert len(get("/api/snapshot.csv", **NITRATE).rows) == 0


def test_a_frame_shows_a_kept_or_a_live_view_and_leads_to_the_whole(shot):
    kept, live = get("/embed", snapshot=shot.id), get("/embed", **NITRATE, legend="0", table="0", lang="fr")
    links = [
        [one["href"] for one in Read(page.body.decode()).all("a") if one.get("target") == "_top"]
        for page in (kept, live)
    ]
    assert links == [[f"s/{shot.id}"], ["?topic=groundwater&property=nitrate&standard=who_drinking_water"]]
    assert (
        get(
            "/embed", {"If-None-Match": live.headers["etag"]}, **NITRATE, legend="0", table="0", lang="fr"
        ).status
        == 304
    )
    assert 'id="legend"' not in live.body.decode()
    assert 'lang="fr"' in live.body.decode()
    assert re.search(r'id="sites"[^>]* hidden', live.body.decode())


# ---- the bench ----------------------------------------------------------------------------------


def ask(bench, orders):
    """Ask for several files at once; gives status and body of each answer."""

    async def one(order):
        key, make = order
        said = []

        async def send(message):
            said.append(message)

        scope = {"type": "http", "method": "GET", "path": "/x", "headers": [], "query_string": b""}
        await workshop.Ordered(bench, key, "txt", make, {"Content-Type": "text/plain"})(scope, None, send)
        head = {k.decode(): v.decode() for k, v in said[0]["headers"]}
        return said[0]["status"], b"".join(part.get("body", b"") for part in said[1:]), head

    async def every():
        return await asyncio.gather(*map(one, orders))

    return asyncio.run(every())


def test_what_fifty_ask_for_at_once_is_made_once():
    made = []

    def make(path):
        made.append(path)
        time.sleep(0.2)
        path.write_text("a card")

    bench = workshop.Bench(hands=2, queue=2, most=1_000)
    answers = ask(bench, [("card", make)] * 50)
    assert {(status, body) for status, body, _ in answers} == {(200, b"a card")}
    assert len(made) == 1
    assert ask(bench, [("card", make)])[0][1] == b"a card"
    assert len(made) == 1


def test_a_bench_with_too_much_before_it_says_when_to_come_again_and_then_works_on():
    hold = threading.Event()

    def make(path):
        hold.wait(10)
        path.write_text("done")

    bench = workshop.Bench(hands=1, queue=3, most=1_000)
    threading.Timer(0.3, hold.set).start()
    answers = ask(bench, [(number, make) for number in range(8)])
    assert sorted(status for status, _, _ in answers) == [200] * 3 + [503] * 5
    refused = next(head for status, _, head in answers if status == 503)
    assert int(refused["retry-after"]) > 0
    assert ask(bench, [("more", make)])[0][0] == 200


def test_what_fails_is_said_in_our_words_only_and_is_tried_again():
    def broken(path):
        path.write_text("half")
        raise RuntimeError("secret /path/of/ours")

    def wrong(path):
        raise ChoiceError("There is no such size.")

    bench = workshop.Bench(hands=1, queue=3, most=1_000)
    (status, body, _), (other, sentence, _) = ask(bench, [("a", broken), ("b", wrong)])
    assert (status, other) == (500, 400)
    assert b"secret" not in body
    assert json.loads(sentence)["error"] == "There is no such size."
    assert ask(bench, [("a", lambda path: path.write_text("whole"))])[0][1] == b"whole"


def test_finished_files_go_when_there_are_too_many_and_nothing_half_made_stays():
    bench = workshop.Bench(hands=1, queue=9, most=250)
    count = []

    def maker(key):
        return lambda path: (count.append(key), path.write_text("x" * 100))

    for key in "abca":
        assert ask(bench, [(key, maker(key))])[0][0] == 200
    # Two fit; the first was gone when it was asked for again.
    assert count == list("abca")
    assert len(list(bench._folder.iterdir())) == 2
    bench.clear()
    assert list(bench._folder.iterdir()) == []


def test_a_file_that_had_to_go_before_it_was_sent_is_asked_for_again():
    bench = workshop.Bench(hands=1, queue=9, most=250)
    assert ask(bench, [("a", lambda path: path.write_text("x"))])[0][0] == 200
    for path in bench._folder.iterdir():
        path.unlink()
    assert ask(bench, [("a", None)])[0][0] == 503


def test_who_leaves_takes_no_work_from_the_others_who_wait():
    started, hold = threading.Event(), threading.Event()

    def make(path):
        started.set()
        hold.wait(10)
        path.write_text("a card")

    bench = workshop.Bench(hands=1, queue=3, most=1_000)

    async def visit():
        first = workshop.Ordered(bench, "card", "txt", make, {})
        leaving = asyncio.create_task(first({"type": "http", "path": "/", "headers": []}, None, None))
        await asyncio.to_thread(started.wait)
        leaving.cancel()
        waiting = asyncio.wrap_future(bench.order("card", "txt", make))
        hold.set()
        return (await waiting).path.read_text()

    assert asyncio.run(visit()) == "a card"
    assert isinstance(answer.failed(ChoiceError("x."), "/"), Response)


def test_nothing_waits_in_a_thread(monkeypatch):
    """Forty threads answer everything; fifty who wait for a picture leave them free."""
    hold = threading.Event()

    def make(path):
        hold.wait(10)
        path.write_text("late")

    bench = workshop.Bench(hands=1, queue=3, most=1_000)
    app = Starlette(
        routes=[
            Route("/late", lambda request: workshop.Ordered(bench, "late", "txt", make, {})),
            Route("/quick", lambda request: Response("quick")),
        ]
    )

    async def call(path):
        said = []

        async def send(message):
            said.append(message)

        await app(
            {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}, None, send
        )
        return said[-2 if path == "/late" else -1]["body"]

    async def every():
        late = [asyncio.create_task(call("/late")) for _ in range(50)]
        await asyncio.sleep(0.1)
        quick = await asyncio.wait_for(call("/quick"), 2)
        hold.set()
        return quick, set(await asyncio.gather(*late))

    assert asyncio.run(every()) == (b"quick", {b"late"})

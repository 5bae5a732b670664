"""How sources are asked, against a real server on this machine that is late, cut short and wrong."""

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from werkzeug import Response

from sensors import http as http_module
from sensors.http import Caps, Http, clean_url
from sensors.sensor import Body
from situation.errors import (
    BadRequest,
    IncompleteResponse,
    KeyMissing,
    RateLimited,
    SchemaDrift,
    SensorError,
    SourceUnavailable,
    TooMuch,
)
from tests.sources_kit import ODD, PASSING, QUICK, Script, faulty, http_for, json_answer, plain, wqx

GOOD = wqx(range(30))
LASTING = {"refused", "not found"}  # what trying again at once does not mend


@pytest.fixture(autouse=True)
def _no_waits_left_over(monkeypatch):
    monkeypatch.setattr(http_module, "_PACER", http_module._Pacer())


@pytest.fixture
def serve(httpserver):
    """Put answers in turn at an address; gives the address and what was asked."""

    def put(*answers, path="/data"):
        script = Script(*answers)
        httpserver.expect_request(path).respond_with_handler(script)
        return httpserver.url_for(path), script

    return put


@pytest.mark.parametrize("fault", [f for f in PASSING if f.name not in LASTING], ids=lambda fault: fault.name)
def test_a_fault_is_tried_again_and_the_good_answer_is_whole(serve, httpserver, fault):
    url, script = serve(faulty(fault, GOOD), plain(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/")) as http:
        body = http.get(url, expect="csv")
        assert body.read() == GOOD
        assert len(http.notes.pages) == 1
    assert len(script.asked) == 2 or fault.name == "redirect in a circle"


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.name)
def test_a_fault_that_lasts_is_an_error_and_never_an_empty_answer(serve, httpserver, fault):
    url, script = serve(faulty(fault, GOOD))
    script.answers = [lambda request: faulty(fault, GOOD)]
    with http_for(httpserver.url_for("/")) as http, pytest.raises(SensorError) as told:
        http.get(url, expect="csv")
    assert str(told.value).endswith(".")
    if fault.name in LASTING:
        assert len(script.asked) == 1


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_a_good_answer_in_an_unusual_dress_is_taken_at_once(serve, httpserver, odd):
    url, script = serve(odd.make(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/")) as http:
        body = http.get(url, expect="csv")
        assert body.read().removeprefix(b"\xef\xbb\xbf") == GOOD
        assert len(script.asked) == 1
        if "clock" in odd.name:
            assert "120 minutes behind" in http.notes.warnings[0]


def test_retry_after_is_waited_for_up_to_a_cap(serve, httpserver):
    waits = []
    url, _ = serve(Response(status=429, headers={"Retry-After": "7"}), plain(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/"), sleep=waits.append) as http:
        http.get(url)
    assert 6.5 < max(waits) <= 7

    url, script = serve(Response(status=429, headers={"Retry-After": "7200"}), path="/long")
    with http_for(httpserver.url_for("/")) as http, pytest.raises(RateLimited) as told:
        http.get(url)
    assert len(script.asked) == 1
    assert timedelta(minutes=115) < told.value.retry_at - datetime.now(UTC) < timedelta(minutes=121)


def test_retry_after_as_a_date_is_held_against_the_clock_of_the_source(serve, httpserver):
    theirs = datetime.now(UTC) - timedelta(hours=3)
    headers = {
        "Date": format_datetime(theirs, usegmt=True),
        "Retry-After": format_datetime(theirs + timedelta(seconds=20), usegmt=True),
    }
    waits = []
    url, _ = serve(Response(status=503, headers=headers), plain(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/"), sleep=waits.append) as http:
        http.get(url)
    assert 18 < max(waits) <= 21


def test_back_off_has_full_jitter_and_a_cap(serve, httpserver):
    url, script = serve(Response(status=500))
    script.answers = [lambda request: Response(status=500)]
    found = []
    for seed in (1, 2):
        waits = []
        caps = Caps(tries=6, backoff_s=1, backoff_cap_s=5)
        http = http_for(httpserver.url_for("/"), caps=caps, sleep=waits.append, seed=seed)
        with http, pytest.raises(SourceUnavailable):
            http.get(url)
        assert len(waits) == 5
        assert all(0 <= wait <= 5 for wait in waits)
        found.append(waits)
    assert found[0] != found[1]


def test_requests_to_one_host_keep_their_distance(serve, httpserver):
    waits = []
    url, _ = serve(plain(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/"), pause_s=3, sleep=waits.append) as http:
        http.get(url)
        http.get(url)
    assert len(waits) == 1
    assert 2.5 < waits[0] <= 3


def test_a_quota_that_is_used_up_is_waited_for(serve, httpserver):
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}
    waits = []
    url, _ = serve(Response(GOOD, headers=headers), plain(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/"), sleep=waits.append) as http:
        http.get(url)
        http.get(url)
    assert 8 < max(waits) <= 9


def test_who_asks_says_so_and_a_key_goes_to_its_host_only(serve, httpserver):
    _, script = serve(plain(GOOD, "text/csv"))
    base = httpserver.url_for("/")
    with http_for(base, agent="commonsight/0.1 (me@example.org)", key="geheim", key_scheme="token",
                  key_header="Authorization") as http:  # fmt: skip
        body = http.get("data", {"a": 1, "none": None})
        assert script.asked[0].headers["User-Agent"] == "commonsight/0.1 (me@example.org)"
        assert script.asked[0].headers["Authorization"] == "Token geheim"
        assert script.asked[0].query_string == b"a=1"
        assert "geheim" not in repr(http.notes) + repr(body)
        with pytest.raises(SchemaDrift, match="another host"):
            http.follow("http://192.0.2.7/data?page=2")
    assert len(script.asked) == 1


def test_a_key_that_is_refused_is_told_by_the_name_of_its_variable(serve, httpserver):
    url, _ = serve(Response("bad key geheim", status=403))
    http = http_for(httpserver.url_for("/"), key="geheim", key_variable="MY_KEY")
    with http, pytest.raises(KeyMissing, match="MY_KEY") as told:
        http.get(url)
    assert "geheim" not in str(told.value)


def test_a_redirect_on_the_same_host_is_followed_with_the_key(serve, httpserver):
    _, script = serve(plain(GOOD, "text/csv"), path="/there")
    url, _ = serve(Response(status=302, headers={"Location": "/there"}))
    with http_for(httpserver.url_for("/"), key="k") as http:
        assert http.get(url).read() == GOOD
    assert script.asked[0].headers["X-Api-Key"] == "k"


def test_pages_are_followed_to_the_end_and_links_verbatim(serve, httpserver):
    base = httpserver.url_for("/")
    pages = [
        json_answer({"rows": [1, 2], "next": f"{base}data?cursor=a%2Fb&limit=2"}),
        json_answer({"rows": [3], "next": None}),
    ]
    url, script = serve(*pages)
    with http_for(base) as http:
        bodies = list(http.pages(url, {"limit": 2}, lambda b: b.json()["next"], expect="json"))
        assert [row for body in bodies for row in body.json()["rows"]] == [1, 2, 3]
    assert script.asked[1].query_string == b"cursor=a%2Fb&limit=2"


def test_a_link_that_comes_again_is_a_circle_and_no_end(serve, httpserver):
    url, script = serve(json_answer({"next": httpserver.url_for("/data?page=2")}))
    script.answers = [lambda request: json_answer({"next": httpserver.url_for("/data?page=2")})]
    with http_for(httpserver.url_for("/")) as http, pytest.raises(IncompleteResponse, match="circle"):
        list(http.pages(url, None, lambda b: b.json()["next"], expect="json"))
    assert len(script.asked) == 2


def test_links_of_the_source_are_asked_at_the_mirror(serve, httpserver):
    _, script = serve(plain(GOOD, "text/csv"))
    with http_for(httpserver.url_for("/"), known_as="https://api.example.org/v1") as http:
        assert http.follow("https://api.example.org/v1/data?page=2").read() == GOOD
        with pytest.raises(SchemaDrift):
            http.follow("https://other.example.org/v1/data?page=3")
    assert script.asked[0].query_string == b"page=2"


def test_pages_without_end_are_cut_off(serve, httpserver):
    number = iter(range(10_000))
    url, _ = serve(lambda request: json_answer({"next": httpserver.url_for(f"/data?page={next(number)}")}))
    with http_for(httpserver.url_for("/")) as http, pytest.raises(TooMuch, match="50 pages"):
        list(http.pages(url, None, lambda b: b.json()["next"], expect="json"))


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Response(gzip.compress(bytes(8 << 20)), headers={"Content-Encoding": "gzip"}), "4 MB|times"),
        (Response(bytes(5 << 20)), "larger than 4 MB"),
        (Response(status=413), "too much"),
        (Response(status=414), "too much"),
    ],
)
def test_what_is_too_large_is_said_at_once(serve, httpserver, answer, word):
    url, script = serve(answer)
    with http_for(httpserver.url_for("/")) as http, pytest.raises(TooMuch, match=word):
        http.get(url)
    assert len(script.asked) == 1


def test_a_bomb_is_stopped_long_before_it_is_unpacked(serve, httpserver):
    url, _ = serve(Response(gzip.compress(bytes(40 << 20), 9), headers={"Content-Encoding": "gzip"}))
    with http_for(httpserver.url_for("/")) as http, pytest.raises(TooMuch):
        http.get(url)
    left = [path.stat().st_size for path in http._folder.glob("*")] if http._folder.exists() else []
    assert sum(left) <= QUICK.body_bytes + (1 << 21)


def test_letters_are_read_by_us_and_not_by_the_header(serve, httpserver):
    url, _ = serve(plain("name,unit\nNitrate,µg/L\n".encode(), "text/csv"))
    with http_for(httpserver.url_for("/")) as http:
        assert "µg/L" in http.get(url, expect="csv").text()
    latin, _ = serve(plain("name,unit\nNitrate,µg/L\n".encode("latin-1"), "text/csv"), path="/latin")
    with http_for(httpserver.url_for("/")) as http:
        assert "µg/L" in http.get(latin, expect="csv").text()


def test_204_and_206_count_where_the_source_says_what_they_mean(serve, httpserver):
    url, _ = serve(Response(status=204))
    with http_for(httpserver.url_for("/")) as http:
        assert http.get(url, expect="json", ok=(200, 204)).empty
    url, _ = serve(Response('{"data": []}', status=206), path="/part")
    with http_for(httpserver.url_for("/")) as http:
        assert http.get(url, expect="json", ok=(200, 206)).status == 206


def test_an_unchanged_answer_is_not_sent_again(serve, httpserver, tmp_path):
    def answer(request):
        if request.headers.get("If-None-Match") == '"v1"':
            return Response(status=304)
        return Response(GOOD, headers={"ETag": '"v1"'})

    url, script = serve(answer)
    found = []
    for _ in range(2):
        with http_for(httpserver.url_for("/"), cache=tmp_path) as http:
            found.append(http.get(url, conditional=True).read())
    assert found == [GOOD, GOOD]
    assert script.asked[0].headers.get("If-None-Match") is None
    assert script.asked[1].headers["If-None-Match"] == '"v1"'
    next(tmp_path.glob("*.body")).write_bytes(b"spoilt")  # what is on the disk is not believed either
    with http_for(httpserver.url_for("/"), cache=tmp_path) as http:
        assert http.get(url, conditional=True).read() == GOOD


def test_a_question_by_post_is_tried_again_too(serve, httpserver):
    url, script = serve(Response(status=503), json_answer({"ok": [1]}))
    with http_for(httpserver.url_for("/")) as http:
        assert http.post(url, data={"a": "ü"}, expect="json").json() == {"ok": [1]}
    assert [request.json for request in script.asked] == [{"a": "ü"}] * 2


def test_a_refusal_is_told_in_the_words_of_the_source(serve, httpserver):
    url, script = serve(Response("<html><body>size <b>must</b> be below 20000</body></html>", status=400))
    with (
        http_for(httpserver.url_for("/")) as http,
        pytest.raises(BadRequest, match="size must be below 20000"),
    ):
        http.get(url)
    assert len(script.asked) == 1


def test_nobody_there_is_said_in_a_sentence():
    http = Http("http://127.0.0.1:9", caps=QUICK, sleep=lambda seconds: None)
    with http, pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1:9 does not answer: .*refused"):
        http.get("x")


def test_numbers_stay_the_text_they_were():
    body = Body("1", b'{"value": 0.50, "n": 1e-7, "big": 12345678901234567890.10}')
    assert body.json(verbatim=True) == {"value": "0.50", "n": "1e-7", "big": "12345678901234567890.10"}


@pytest.mark.parametrize(
    "url",
    ["https://a.org/x?api_key=SECRET", "https://me:SECRET@a.org/x", "https://a.org/?X-Token=SECRET&b=1",
     "https://a.org/x?b=1&signature=SECRET#SECRET"],
)  # fmt: skip
def test_an_address_that_is_kept_holds_no_key(url):
    assert "SECRET" not in clean_url(url)


def test_a_source_that_needs_no_key_and_refuses_is_not_said_to_want_one(serve, httpserver):
    url, script = serve(Response("blocked", status=403))
    with (
        http_for(httpserver.url_for("/")) as http,
        pytest.raises(SourceUnavailable, match="let us in .403: blocked"),
    ):
        http.get(url)
    assert len(script.asked) == 1

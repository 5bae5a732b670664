"""A source that stands on this machine: a real HTTP server that gives whole, late, cut and wrong answers.

A :class:`Fault` is what an answer suffers on its way; :func:`answer` makes the response. Bodies are written by
hand, with the field names of the real sources, and hold nothing that was measured.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from werkzeug import Request, Response

from sensors.http import Caps, Http

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"

#: Short patience: a test must not take as long as a real outage.
QUICK = Caps(
    tries=3,
    backoff_s=0.01,
    backoff_cap_s=0.02,
    retry_after_s=120,
    connect_s=2,
    read_s=2,
    body_s=20,
    slow_after_s=0.15,
    slow_bytes_s=2000,
    body_bytes=4 << 20,
    total_bytes=16 << 20,
    pages=50,
    ratio=100,
    ratio_from=1 << 20,
)

WQX_HEADER = (
    "Org_Identifier", "Location_Identifier", "Location_Name", "Location_Type", "Location_Latitude",
    "Location_Longitude", "Location_HorzCoordReferenceSystemDatum", "Activity_ActivityIdentifier",
    "Activity_TypeCode", "Activity_Media", "Activity_StartDate", "Activity_StartTime", "Activity_StartTimeZone",
    "Result_ResultDetectionCondition", "Result_Characteristic", "Result_MethodSpeciation",
    "Result_SampleFraction", "Result_MeasureIdentifier", "Result_Measure", "Result_MeasureUnit",
    "Result_MeasureStatusIdentifier", "DetectionLimit_TypeA", "DetectionLimit_MeasureA",
    "DetectionLimit_MeasureUnitA", "DataQuality_ResultComment", "ProviderName",
)  # fmt: skip


def wqx_row(
    number: int, value: str = "", *, limit: str = "", site: int | None = None, day: str = ""
) -> list[str]:
    """Give one synthetic result; without a value it is a non-detect with its limit."""
    place = number % 7 if site is None else site
    return [
        "TEST", f"TEST-{place}", f'Well "{place}", north', "Well", f"{43 + place / 100:.4f}", f"{-89 - place / 100:.4f}",
        "NAD83", f"A{number}", "Sample-Routine", "Water", day or f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "10:00:00", "CST", "" if value else "Not Detected", "Nitrate", "as N", "Dissolved", f"R{number}", value,
        "mg/l" if value else "", "Accepted", "" if value else "Laboratory Reporting Level", "" if value else limit,
        "" if value else "mg/l", "a comment, with a comma", "TEST",
    ]  # fmt: skip


def as_csv(rows: Sequence[Sequence[str]], header: Sequence[str] = WQX_HEADER) -> bytes:
    """Write a CSV as sources do."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def wqx(numbers: Sequence[int] = range(20), *, change: str = "") -> bytes:
    """Give a synthetic answer of WQX results: every fifth below a limit; *change* is added to each value."""
    return as_csv(
        [
            wqx_row(n, "", limit="0.04") if n % 5 == 0 else wqx_row(n, f"{n / 10 + 0.5:.2f}{change}")
            for n in numbers
        ]
    )


# --- faults ----------------------------------------------------------------------------------------

Answer = Callable[[Request], Response]


@dataclass(frozen=True)
class Fault:
    """What an answer suffers; ``make`` gives the response that comes instead of the good one."""

    name: str
    make: Callable[[bytes, str], Response]


def plain(body: bytes, kind: str) -> Response:
    """Give a good answer."""
    return Response(body, content_type=kind)


def _cut_with_length(body: bytes, kind: str) -> Response:
    return _streamed(body[: len(body) // 2], kind, {"Content-Length": str(len(body))})


def _cut_silently(body: bytes, kind: str) -> Response:
    return _streamed(body[: len(body) // 2 + 3], kind, {})


def _streamed(body: bytes, kind: str, headers: dict[str, str]) -> Response:
    def pieces() -> Iterator[bytes]:
        yield body

    response = Response(pieces(), content_type=kind, headers=headers)
    response.automatically_set_content_length = False
    return response


def _cut_gzip(body: bytes, kind: str) -> Response:
    packed = gzip.compress(body)
    return _streamed(packed[: len(packed) - 12], kind, {"Content-Encoding": "gzip"})


def _bomb(body: bytes, kind: str) -> Response:
    return Response(gzip.compress(bytes(8 << 20)), content_type=kind, headers={"Content-Encoding": "gzip"})


def _drip(body: bytes, kind: str) -> Response:
    def pieces() -> Iterator[bytes]:
        for sign in body[:20]:
            time.sleep(0.02)
            yield bytes([sign])

    return Response(pieces(), content_type=kind)


def _garbage(body: bytes, kind: str) -> Response:
    return Response(
        gzip.compress(body)[:-8] + b"xxxxxxxx", content_type=kind, headers={"Content-Encoding": "gzip"}
    )


def _status(
    status: int, headers: dict[str, str] | None = None, text: str = "try later"
) -> Callable[..., Response]:
    return lambda body, kind: Response(text, status=status, headers=headers or {})


def _said(text: str, kind: str) -> Callable[..., Response]:
    return lambda body, _: Response(text, content_type=kind)


def _soon(body: bytes, kind: str) -> Response:
    now = datetime.now(UTC)
    return Response(
        "", status=503, headers={"Retry-After": format_datetime(now + timedelta(seconds=1), usegmt=True)}
    )


#: Faults after which the same question gets the good answer.
PASSING: tuple[Fault, ...] = (
    Fault("429 with seconds", _status(429, {"Retry-After": "1"})),
    Fault("429 without a word", _status(429)),
    Fault("503", _status(503)),
    Fault("503 with a date", _soon),
    Fault("500", _status(500)),
    Fault("502", _status(502, text="<html><body>Bad gateway</body></html>")),
    Fault("504", _status(504)),
    Fault("408", _status(408)),
    Fault("cut, length declared", _cut_with_length),
    Fault("cut, no length", _cut_silently),
    Fault("cut gzip", _cut_gzip),
    Fault("spoilt gzip", _garbage),
    Fault("nothing in 200", _said("", "text/csv")),
    Fault("204", _status(204, text="")),
    Fault("206", lambda body, kind: Response(body[: len(body) // 3], status=206, content_type=kind)),
    Fault("a web page in 200", _said("<!DOCTYPE html><html><body>Maintenance</body></html>", "text/html")),
    Fault("an error in 200", _said('{"error": {"code": "OVER_RATE_LIMIT"}}', "application/json")),
    Fault("an error behind the rows", lambda body, kind: Response(body + b"Error: stream failed\n", content_type=kind)),
    Fault("redirect in a circle", _status(302, {"Location": "?again=1"}, "")),
    Fault("redirect to another host", _status(302, {"Location": "http://192.0.2.1/elsewhere"}, "")),
    Fault("slow drip", _drip),
    Fault("refused", _status(403, text="blocked for now")),
    Fault("not found", _status(404)),
)  # fmt: skip

#: Answers that are good, in an unusual dress.
ODD: tuple[Fault, ...] = (
    Fault("BOM", lambda body, kind: Response(b"\xef\xbb\xbf" + body, content_type=kind)),
    Fault("gzip", lambda body, kind: Response(gzip.compress(body), content_type=kind,
                                              headers={"Content-Encoding": "gzip"})),
    Fault("wrong content type", lambda body, kind: Response(body, content_type="application/octet-stream")),
    Fault("chunks without length", lambda body, kind: _streamed(body, kind, {})),
    Fault("clock two hours slow", lambda body, kind: Response(
        body, content_type=kind,
        headers={"Date": format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True)})),
)  # fmt: skip


class Script:
    """Gives answers in turn, the last one for ever; remembers what was asked."""

    def __init__(self, *answers: Answer | Response) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        request.get_data()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Response) else answer(request)


def faulty(fault: Fault, body: bytes, kind: str = "text/csv") -> Response:
    """Give the answer that a fault made of a body."""
    return fault.make(body, kind)


def json_answer(said: object, **headers: str) -> Response:
    """Give JSON."""
    return Response(json.dumps(said), content_type="application/json", headers=headers)


def http_for(url: str, **more: object) -> Http:
    """Give an Http that does not wait; what it would have waited stands in its notes."""
    settings: dict[str, object] = {"caps": QUICK, "sleep": lambda seconds: None, "seed": 1, **more}
    return Http(url, **settings)  # type: ignore[arg-type]

"""The page of a snapshot's address: light, without JavaScript, and with a card for whoever pastes the link.

It shows the picture, says the sentence and what became of the readings since, and offers every file. Addresses in
it are relative, so that it works below any path; those of the card are absolute, because the programs that fetch
cards know no other.

What surprised us: a card whose picture has no stated size is shown without it the first time that a link is pasted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from publish import FORMATS, citation, web
from publish.markup import NOTHING, Html, joined, policy, sign, tag
from publish.sizes import SIZES, size_named
from situation.messages import message, written_languages
from situation.snapshot import Snapshot
from situation.view import View

_PICTURES = ("png", "svg", "pdf")
#: Tables that hold one row a site, or every reading.
_BOTH = ("csv", "xlsx", "parquet")


@dataclass(frozen=True)
class Address:
    """Where a page stands.

    Attributes
    ----------
    root : str
        Absolute address of the installation, without a slash at its end.
    asked : str or None
        The language that the address asks for; None for the snapshot's own.
    """

    root: str
    asked: str | None = None

    def query(self, **more: str) -> str:
        """Write the parameters of an address that keeps the language."""
        said = more | ({"lang": self.asked} if self.asked else {})
        return f"?{urlencode(said)}" if said else ""


def page_policy() -> str:
    """Say the rule that the page is served with: its own style, pictures of this installation, no script."""
    return policy(styles=[_style()], img_src="'self'")


@cache
def _style() -> str:
    return web.own_style() + (
        "\n.picture img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; }"
        "\n.plain { width: auto; } .plain td:last-child { text-align: end; } .plain td, .plain th { min-width: 0; }"
        "\nnav a, .files a { display: inline-block; vertical-align: top; min-height: 28px; margin-inline-end: 14px; }"
        "\n.files li { margin: 4px 0; }"
        "\ntextarea { width: 100%; min-height: 5.5em; font: 0.9em ui-monospace, monospace; color: inherit;"
        " background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 8px; }"
        "\n.go { font-weight: 600; }\n"
    )


def page(shot: Snapshot, where: Address) -> str:
    """Make the page of a kept snapshot."""
    say = web.sayer(shot)
    parts = [
        tag("header", tag("h1", shot.title), *web.notices(shot), *_since(shot)),
        tag("p", shot.said.lead, class_="lead"),
        _picture(shot, where),
        tag("p", shot.said.rest),
        tag("p", say("frozen", minute=citation.minute(shot), version=shot.version), " ", _made(shot)),
        tag("p", tag("a", say("open_app"), href=app_link(shot.view), class_="go")),
        _classes(shot),
        _downloads(shot, where),
        _embed(shot, where),
        web.facts(shot, package=f"{shot.id}/data.zip{where.query()}"),
        _languages(shot),
    ]
    return _document(shot.title, shot.language, tag("main", *parts), _card(shot, where))


def gone(sentence: str, language: str, home: str) -> str:
    """Make the page for an address at which there is no snapshot, or not any more; *home* leads to the app."""
    title = message("publish.web.gone", language)
    link = tag("a", message("publish.web.to_map", language), href=home, class_="go", target="_top")
    return _document(title, language, tag("main", tag("h1", title), tag("p", sentence), tag("p", link)))


def app_link(view: View, up: str = "../") -> str:
    """Say where the app shows a view, relative to a snapshot's page."""
    return f"{up}?{urlencode(view.to_params())}"


def _document(title: str, language: str, main: Html, more: Html = NOTHING) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        more,
        tag("style", Html(_style())),
    )
    return "<!doctype html>\n" + tag(
        "html", head, tag("body", main), lang=language, dir=web.direction(language)
    )


def _card(shot: Snapshot, where: Address) -> Html:
    """Say what a pasted link shows: Open Graph, and what Twitter's cards want besides."""
    here, size = f"{where.root}/s/{shot.id}", size_named("og")
    said = {
        "og:type": "article",
        "og:site_name": shot.topic.producer or "Commonsight",
        "og:title": shot.title,
        "og:description": shot.said.lead,
        "og:url": here + where.query(),
        "og:locale": shot.language,
        "og:image": f"{here}/card.png{where.query()}",
        "og:image:type": "image/png",
        "og:image:width": str(size.wide),
        "og:image:height": str(size.high),
        "og:image:alt": shot.said.text,
    }
    cards = [tag("meta", property=name, content=value) for name, value in said.items()]
    cards.append(tag("meta", name="twitter:card", content="summary_large_image"))
    cards.append(tag("meta", name="description", content=shot.said.lead))
    cards.append(tag("link", rel="canonical", href=here))
    cards.append(tag("link", rel="cite-as", href=here))
    return joined(cards)


def _since(shot: Snapshot) -> Iterator[Html]:
    """Say what became of the readings since, with a link to the same view as it stands today."""
    changed = shot.changed
    if changed.matters or changed.newer:
        say = web.sayer(shot)
        told = tag("a", say("newest"), href=app_link(shot.view.but(as_of=None, at=None)), class_="go")
        newer = say("newer", n=changed.newer) if changed.newer else ""
        yield tag("p", newer, " ", told, class_="notice" if changed.matters else None)


def _made(shot: Snapshot) -> Html:
    said = {"day": f"{shot.made_at:%Y-%m-%d}" if shot.made_at is not None else "", "who": shot.who or ""}
    return tag("span", web.sayer(shot)("made" if shot.who else "made_unnamed", **said))


def _picture(shot: Snapshot, where: Address) -> Html:
    size = SIZES["850x600"]
    shown = tag(
        "img",
        src=f"{shot.id}/picture.png{where.query()}",
        alt=shot.said.text,
        width=size.wide,
        height=size.high,
    )
    narrow = tag(
        "source", media="(max-width: 640px)", srcset=f"{shot.id}/picture.png{where.query(size='square')}"
    )
    whole = tag("a", tag("picture", narrow, shown), href=f"{shot.id}/map.html{where.query()}")
    return tag("p", whole, class_="picture")


def _classes(shot: Snapshot) -> Html:
    say = web.sayer(shot)
    head = tag("thead", tag("tr", tag("th", say("class"), scope="col"), tag("th", say("sites"), scope="col")))
    rows = [
        tag("tr", tag("td", sign(status), " ", said), tag("td", web.number(n)))
        for status, said, n in web.class_words(shot)
    ]
    caption = tag("h2", say("classes"))
    return joined([caption, tag("table", head, tag("tbody", *rows), class_="plain")])


# ---- what can be taken along --------------------------------------------------------------------


def _downloads(shot: Snapshot, where: Address) -> Html:
    say = web.sayer(shot)
    pictures = [_row(say(f"file_{ending}"), _sizes(shot, where, ending)) for ending in _PICTURES]
    whole = tag("a", say("file_html"), href=f"{shot.id}/map.html{where.query()}")
    data = [_data(shot, where, ending) for ending in FORMATS if ending not in (*_PICTURES, "html")]
    cite = tag("a", say("file_csl"), href=f"{shot.id}/citation.json{where.query()}")
    return joined(
        [
            tag("h2", say("downloads")),
            tag("h3", say("pictures")),
            tag("ul", *pictures, tag("li", whole), class_="files"),
            tag("h3", say("data")),
            tag("ul", *data, tag("li", cite), class_="files"),
        ]
    )


def _row(words: str, links: Html) -> Html:
    return tag("li", words, ": ", links)


def _sizes(shot: Snapshot, where: Address, ending: str) -> Html:
    say = web.sayer(shot)
    return joined(
        tag(
            "a",
            f"{say(f'size_{key}')} ({size.wide} × {size.high})" if ending == "png" else say(f"size_{key}"),
            href=f"{shot.id}/picture.{ending}{where.query(size=key)}",
        )
        for key, size in SIZES.items()
    )


def _data(shot: Snapshot, where: Address, ending: str) -> Html:
    say, here = web.sayer(shot), f"{shot.id}/data.{ending}"
    words = say(f"file_{ending}")
    if ending not in _BOTH:
        return tag("li", tag("a", words, href=here + where.query()))
    readings = f"{say('every_reading')} ({web.number(shot.readings_behind)})"
    links = [
        tag("a", f"{say('sites')} ({web.number(len(shot.sites))})", href=here + where.query()),
        tag("a", readings, href=here + where.query(rows="readings")),
    ]
    return _row(words, joined(links))


def _embed(shot: Snapshot, where: Address) -> Html:
    say = web.sayer(shot)
    line = web.iframe(
        f"{where.root}/embed?{urlencode({'snapshot': shot.id or ''})}", shot.title, lang=where.asked
    )
    box = tag(
        "textarea", line, readonly=True, rows="4", aria_label=say("embed"), dir="ltr", spellcheck="false"
    )
    options = say("embed_options", codes=", ".join(written_languages()))
    return joined([tag("h2", say("embed")), tag("p", say("embed_note")), box, tag("p", options)])


def _languages(shot: Snapshot) -> Html:
    links = [
        tag("a", name, href=f"{shot.id}?lang={code}", lang=code, hreflang=code)
        for code, name in written_languages().items()
        if code != shot.language
    ]
    say = web.sayer(shot)
    return tag("nav", tag("h2", say("language")), *links, aria_label=say("language"))

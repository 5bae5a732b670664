"""What a view says in words: each number in it is counted from the table, and nothing is called safe."""

from __future__ import annotations

import re
import string

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situation.headline import headline
from situation.messages import catalogue, message
from situation.paragraph import paragraph
from situation.region import percent, wilson
from situation.standard import standards

WHO = standards()["who_drinking_water"]
EPA = standards()["us_epa_drinking_water"]
LANGUAGES = ("en", "fr", "es", "ar", "hi")
OLD, NEW = pd.Timestamp("2020-01-02", tz="UTC"), pd.Timestamp("2026-06-01", tz="UTC")


def picture(*said, place=7.5, batch="1"):
    """Make sites of (status, freshness)."""
    rows = [(status, fresh, OLD if fresh == "stale" else NEW, place, batch) for status, fresh in said]
    return pd.DataFrame(rows, columns=["status", "freshness", "phenomenon_time", "longitude", "batch_id"])


MIXED = picture(
    *[("above", "current")] * 3, ("above", "stale"), ("near", "current"), *[("below", "current")] * 5,
    *[("inconclusive", "stale")] * 2,
)  # fmt: skip


def figures(told):
    """Find every number in the text that is not part of something quoted."""
    text = told.text
    for quoted in sorted(told.quoted, key=len, reverse=True):
        text = text.replace(quoted, " ")
    return [
        float(found.replace("\u202f", "").replace(",", "."))
        for found in re.findall(r"\d[\d\u202f]*(?:[.,]\d+)?", text)
    ]


def test_the_paragraph_says_count_share_interval_standard_period_and_what_is_unknown():
    told = paragraph(MIXED, WHO, "nitrate", period="5y", stale_days=730)
    assert told.sentences == (
        "Nitrate is above the limit of 50 mg/L as NO3 at 4 of the 10 sites that can be judged (40 %).",
        "The 95 % interval of this share (Wilson) is 17 to 69 %; it describes these sites only, which were not "
        "picked at random.",
        "2 sites cannot be judged, because the method could not see so low or the unit or form is not known; "
        "if all of them kept the limit, or all broke it, the share would be 33 to 50 %.",
        f"The limit is that of {WHO.title}, checked against a second text.",
        "The newest reading of each site counts, of the last 5 years.",
        "The newest of all is from 2026-06-01.",
        "At 3 sites the newest reading is older than 730 days.",
    )
    assert told.lead == told.sentences[0]
    assert f"{told.lead} {told.rest}" == told.text


@pytest.mark.parametrize("language", LANGUAGES)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["above", "near", "below", "inconclusive"]), st.sampled_from(["current", "stale"])
        ),
        max_size=40,
    ),
    observed=st.sampled_from(["nitrate", "ph", "e_coli", "iron", "arsenic", "conductance"]),
    period=st.sampled_from(["all", "1y", "5y", "2020-01-01/2024-12-31", "/2024-12-31", "2020-01-01/"]),
    as_of=st.sampled_from([None, 12]),
)
@settings(max_examples=50, deadline=None)
def test_every_number_in_the_text_is_counted_from_the_table(language, rows, observed, period, as_of):
    if observed == "conductance":  # the standard sets no limit
        rows = [("no limit", fresh) for _, fresh in rows]
    table = picture(*rows)
    told = paragraph(table, WHO, observed, period=period, as_of=as_of, stale_days=730, language=language)
    assert set(figures(told)) <= set(told.numbers.values())
    status, n = table["status"], told.numbers
    above, judged = status.eq("above").sum(), status.isin(["above", "near", "below"]).sum()
    assert n["sites"] == len(table)
    if not rows:
        return
    assert n.get("stale", 0) == table["freshness"].eq("stale").sum()
    if observed == "conductance":
        return
    assert (n["above"], n["judged"]) == (above, judged)
    assert n["inconclusive"] == status.eq("inconclusive").sum()
    if judged > 1:
        low, high = wilson(above, judged)
        assert n["share_percent"] == float(percent(above / judged))
        assert (n["low_percent"], n["high_percent"]) == (float(percent(low)), float(percent(high)))
    assert n["above"] == headline(table).above


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_called_safe_where_nobody_measured(language):
    told = paragraph(MIXED.iloc[:0], WHO, "nitrate", language=language, waiting=True)
    assert told.numbers == {"sites": 0}
    assert figures(told) == []
    assert len(told.sentences) == 2
    assert "nitrate" in told.text


def test_one_site_is_said_in_words():
    over = paragraph(picture(("above", "current")), WHO, "nitrate")
    kept = paragraph(picture(("below", "current")), WHO, "nitrate")
    assert over.lead == "Nitrate is above the limit of 50 mg/L as NO3 at the one site that can be judged."
    assert kept.lead == "Nitrate is not above the limit of 50 mg/L as NO3 at the one site that can be judged."
    assert over.sentences[1] == kept.sentences[1] == "So few sites say little about the places between them."


def test_where_nothing_can_be_judged_no_share_is_said():
    told = paragraph(picture(*[("inconclusive", "current")] * 5), WHO, "arsenic")
    assert told.lead == (
        "Arsenic was measured at 5 sites, but at none of them can be told whether it is above the limit of 10 ug/L."
    )
    assert "%" not in told.text
    one = paragraph(picture(("inconclusive", "current")), WHO, "arsenic")
    assert one.lead.startswith("Arsenic was measured at 1 site, and there it cannot be told whether")


def test_without_a_limit_the_sites_are_counted_and_the_standard_named():
    table = picture(("no limit", "current"), ("no limit", "stale"))
    assert paragraph(table, WHO, "conductance").lead == (
        f"Electrical conductivity was measured at 2 sites; {WHO.title} sets no limit for it."
    )
    assert "no limit is set for it" in paragraph(table.iloc[:1], None, "conductance").lead


@pytest.mark.parametrize(
    ("standard", "observed", "words"),
    [
        (WHO, "ph", "pH is outside the range 6.5 to 8.5 at 4 of the 10 sites"),
        (WHO, "e_coli", "Escherichia coli was found although it must not be detected at 4 of the 10 sites"),
        (WHO, "iron", "It is about taste, smell or looks, not about health."),
        (WHO, "iron", "it has not been checked against a second text"),
        (EPA, "nitrate", "Nitrate is above the limit of 10 mg/L as N at 4 of the 10 sites"),
    ],
)
def test_each_kind_of_limit_has_its_words(standard, observed, words):
    assert words in paragraph(MIXED, standard, observed).text


def test_a_least_value_and_a_limit_that_is_reached_have_their_words():
    import dataclasses

    def with_limit(**said):
        row = dataclasses.replace(WHO.limit("nitrate"), **said)
        return dataclasses.replace(WHO, rows=(row,))

    least = with_limit(comparison="below", value=5.0, species=None)
    assert "is below the least allowed, 5 mg/L, at 4 of" in paragraph(MIXED, least, "nitrate").lead
    reached = with_limit(comparison="at_or_above")
    assert (
        "reaches or passes the limit of 50 mg/L as NO3 at 4 of" in paragraph(MIXED, reached, "nitrate").lead
    )


def test_the_french_and_the_spanish_are_whole():
    french = paragraph(MIXED, WHO, "ph", stale_days=730, language="fr")
    assert french.lead == "pH : hors de l'intervalle 6,5 à 8,5 sur 4 des 10 sites où l'on peut juger (40 %)."
    spanish = paragraph(MIXED, WHO, "nitrate", language="es")
    assert spanish.lead == (
        "Nitrate: por encima del límite de 50 mg/L as NO3 en 4 de los 10 sitios que se pueden juzgar (40 %)."
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_holes(language):
    mine = catalogue(language)
    only = "words." if mine.get("language.scope") == "publish" else ("words.", "areas.")
    english = {key: text for key, text in catalogue("en").items() if key.startswith(only)}
    if not mine["language.singular"]:  # a language whose sentences hold for one and for many
        english = {key: text for key, text in english.items() if not key.endswith("_one")}

    def holes(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert {key: holes(mine.get(key, "")) for key in english} == {
        key: holes(text) for key, text in english.items()
    }


def test_one_and_many_agree_in_each_language():
    assert message("words.no_place", n=1).startswith("1 site has")
    assert message("words.no_place", n=2).startswith("2 sites have")
    assert message("words.no_place", "fr", n=0).startswith("0 site n'a")
    assert message("words.no_place", "es", n=0).startswith("0 sitios no tienen")
    assert message("map.unplaced", n="1").startswith("1 site has")  # as the pages write numbers


def test_what_waits_and_what_has_no_place_is_said():
    table = pd.concat(
        [picture(("above", "current"), place=float("nan"), batch="9"), MIXED], ignore_index=True
    )
    told = paragraph(table, WHO, "nitrate", pending={"9"}, as_of=3)
    assert "1 site has no usable place and is not on the map." in told.sentences
    assert "At 1 site the reading that counts has not been accepted yet." in told.sentences
    assert "This is what was known at data version 3." in told.sentences
    hidden = paragraph(MIXED, WHO, "nitrate", pending={"9"}, waiting=True)
    assert hidden.sentences[-1] == "Uploads that wait to be accepted are not counted."
    assert "pending" not in hidden.numbers


def test_a_share_is_never_rounded_to_none_or_all():
    many = picture(("above", "current"), *[("below", "current")] * 999)
    assert "1 of 1\u202f000 sites (0.1 %)" in paragraph(many, WHO, "nitrate").lead
    assert "(0,1 %)" in paragraph(many, WHO, "nitrate", language="fr").lead


def test_the_limit_that_was_in_force_is_said():
    import dataclasses
    from datetime import date

    row = WHO.limit("nitrate")
    rows = (
        dataclasses.replace(row, value=100.0, valid_to=date(2019, 12, 31)),
        dataclasses.replace(row, valid_from=date(2020, 1, 1)),
    )
    changed = dataclasses.replace(WHO, rows=rows)
    assert "limit of 100 mg/L" in paragraph(MIXED, changed, "nitrate", on=date(2019, 6, 1)).lead
    assert "limit of 50 mg/L" in paragraph(MIXED, changed, "nitrate").lead

"""Limits: every file in the folder says what it says, and a mistake in one is a sentence with its row."""

from __future__ import annotations

from datetime import date

import pytest

from situation.errors import ChoiceError, DataFileError
from situation.standard import (
    COLUMNS,
    FOLDER,
    OPTIONAL_COLUMNS,
    broken_standards,
    read_standard,
    standard_named,
    standards,
)

every_standard = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.stem)


@every_standard
def test_every_limit_says_where_it_stands(path):
    standard = read_standard(path)
    for limit in standard.rows:
        assert limit.reference
        assert limit.url.startswith("https://")
        assert limit.verified_by or not limit.verified
        assert limit.text()


@every_standard
def test_a_property_has_one_limit_of_a_kind_and_tier_on_any_day(path):
    standard = read_standard(path)
    for day in (date(2026, 11, 21), date(2036, 6, 1)):
        for key in {limit.property for limit in standard.rows}:
            kinds = [(limit.kind, limit.tier) for limit in standard.limits_for(key, day)]
            assert len(kinds) == len(set(kinds)), key


def test_the_shipped_standards_are_all_there_and_none_is_broken():
    wanted = {
        "who_drinking_water",
        "us_epa_drinking_water",
        "eu_drinking_water",
        "eu_groundwater",
        "who_air_quality",
        "india_is_10500",
    }
    assert wanted <= set(standards())
    assert not wanted & set(broken_standards())


@pytest.mark.parametrize(
    ("key", "observed", "text"),
    [
        ("who_drinking_water", "nitrate", "50 mg/L as NO3"),
        ("us_epa_drinking_water", "nitrate", "10 mg/L as N"),
        ("eu_drinking_water", "nitrate", "50 mg/L as NO3"),
        ("eu_groundwater", "nitrate", "50 mg/L as NO3"),
        ("who_drinking_water", "arsenic", "10 ug/L"),
        ("us_epa_drinking_water", "fluoride", "4 mg/L"),
        ("us_epa_drinking_water", "tritium", "20000 pCi/L"),
        ("us_epa_drinking_water", "manganese", "0.05 mg/L"),
        ("eu_drinking_water", "ph", "6.5 to 9.5"),
        ("eu_drinking_water", "conductance", "2500 uS/cm"),
        ("who_drinking_water", "e_coli", "must not be detected"),
        ("who_air_quality", "pm25", "15 ug/m3"),
        ("who_drinking_water", "nitrate_nitrite_ratio", "1"),
        ("eu_drinking_water", "pfas_sum_20", "0.1 ug/L"),
        ("eu_drinking_water", "tetrachloroethene_trichloroethene", "10 ug/L"),
        ("eu_groundwater", "pesticides_total", "0.5 ug/L"),
        ("eu_groundwater", "atrazine", "0.1 ug/L"),
        ("us_epa_drinking_water", "haloacetic_acids_5", "60 ug/L"),
        ("us_epa_drinking_water", "pfoa", "4 ng/L"),
        ("india_is_10500", "nitrate", "45 mg/L as NO3"),
        ("india_is_10500", "fluoride", "1 mg/L"),
    ],
)
def test_the_limits_are_what_the_texts_say(key, observed, text):
    assert standards()[key].limit(observed).text() == text


def test_health_comes_before_taste_and_both_can_be_seen():
    kinds = [limit.kind for limit in standards()["us_epa_drinking_water"].limits_for("fluoride")]
    assert kinds == ["health", "aesthetic"]


def test_a_limit_that_changes_on_a_day_changes_on_that_day():
    lead = standards()["eu_drinking_water"]
    assert lead.limit("lead", date(2036, 1, 11)).value == 10
    assert lead.limit("lead", date(2036, 1, 12)).value == 5


def test_an_unknown_property_has_no_limit_and_an_unknown_standard_says_which_there_are():
    assert standards()["who_air_quality"].limit("nitrate") is None
    with pytest.raises(ChoiceError, match="who_drinking_water"):
        standard_named("nonsense")


HEADER = ",".join(COLUMNS)
GOOD = "nitrate,25,mg/L,as NO3,,health,above,,,,,Our village,https://example.org,no"


def written(tmp_path, *rows):
    path = tmp_path / "our_village.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_users_own_standard_is_one_file(tmp_path):
    written(tmp_path, GOOD)
    found = standards(tmp_path)["our_village"]
    assert found.title == "Our village"
    assert found.limit("nitrate").value == 25
    assert not found.limit("nitrate").verified
    assert list(found.limits["method_speciation"]) == ["as NO3"]


def test_a_file_from_a_spreadsheet_program_is_read_too(tmp_path):
    path = tmp_path / "our_village.csv"
    path.write_text("\n".join([HEADER, GOOD, ",,,,,,,,,,,,,"]).replace(",", ";"), encoding="utf-8-sig")
    assert read_standard(path).limit("nitrate").value == 25


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (GOOD.replace("mg/L", ""), "row 3: the unit is missing"),
        (GOOD.replace("mg/L", "furlongs"), "row 3: the unit 'furlongs' is not known"),
        (GOOD.replace("mg/L", "uS/cm"), "row 3: uS/cm does not fit nitrate"),
        (GOOD.replace("as NO3", ""), "row 3: Nitrate needs its form .* as NO3, as N"),
        (GOOD.replace("as NO3", "as X"), "row 3: the form 'as X' is not known"),
        (GOOD.replace("25", ""), "row 3: the value is missing"),
        (GOOD.replace("25", "25,5", 1), "row 3: more cells than the header"),
        (GOOD.replace("25", "a lot", 1), "row 3: value is 'a lot'; it takes a number"),
        (GOOD.replace("nitrate", "nitrates", 1), "row 3: no property 'nitrates'"),
        (GOOD.replace("above", "over"), "row 3: comparison is 'over'; it takes above"),
        (GOOD.replace("health", "wealth"), "row 3: kind is 'wealth'"),
        (GOOD.replace("Our village", ""), "row 3: the reference is missing"),
        (GOOD.replace(",no", ",maybe"), "row 3: verified takes"),
        ("ph,,[pH],,,health,outside range,8.5,6.5,,,Our village,,no", "row 3: the range is upside down"),
        ("ph,7,[pH],,,health,outside range,,,,,Our village,,no", "row 3: outside range needs both"),
        ("e_coli,1,count/100 mL,,,health,detected,,,,,Our village,,no", "row 3: detected takes the value 0"),
        (GOOD.replace("above,,,,", "above,,,soon,"), "row 3: valid_from is 'soon'"),
        (
            GOOD.replace("above", ""),
            "row 3: the comparison is missing; write above where more is worse, below",
        ),
        (GOOD.replace("25", "-25", 1), "row 3: the value is -25; nitrate is never below zero"),
        (GOOD.replace("above,,,", "above,10,40,"), "row 3: lower and upper go with outside range"),
        ("ph,7,[pH],,,health,outside range,6.5,8.5,,,Our village,,no", "row 3: .* the value 7 beside them"),
        (GOOD.replace("mg/L", "mg/L as N"), "row 3: the unit 'mg/L as N' and the form 'as NO3' say diff"),
        (GOOD.replace("as NO3,", "as NO3,disolved"), "row 3: sample_fraction is 'disolved'; it takes total"),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_row_and_spoils_no_other_file(tmp_path, row, sentence):
    path = written(tmp_path, GOOD, row)
    with pytest.raises(DataFileError, match=sentence):
        read_standard(path)
    (tmp_path / "fine.csv").write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    assert list(standards(tmp_path)) == ["fine"]
    assert "row 3" in broken_standards(tmp_path)["our_village"]


@pytest.mark.parametrize(("upper", "least"), [("", 1.0), ("10", 10.0)])
def test_what_still_shows_that_a_germ_is_absent_is_one_unless_the_file_says_more(tmp_path, upper, least):
    path = written(tmp_path, f"e_coli,0,CFU/100 mL,,,health,detected,,{upper},,,Our village,,no")
    assert read_standard(path).limit("e_coli").upper == least


def test_a_missing_column_and_an_empty_file_are_sentences(tmp_path):
    path = written(tmp_path)
    with pytest.raises(DataFileError, match="has no rows"):
        read_standard(path)
    path.write_text("property,value\nnitrate,5\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="has no column unit"):
        read_standard(path)


# -- sums, ratios, tiers, exposure ------------------------------------------------------------------

WIDE = ",".join([*COLUMNS, *OPTIONAL_COLUMNS])
RATIO = (
    "nitrate_nitrite_ratio,1,1,,,health,above,,,,,Our village,,no,"
    "nitrate/50 mg/L as NO3 + nitrite/3 mg/L as NO2,acute: infants,"
)
SUM = "trihalomethanes,100,ug/L,,,health,above,,,,,Our village,,no,chloroform + bromoform,chronic,"
TWO = "fluoride,1,mg/L,,,health,above,,,,,Our village,,no,,,"


def wide(tmp_path, *rows):
    path = tmp_path / "our_village.csv"
    path.write_text("\n".join([WIDE, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_users_own_sum_ratio_and_tiers_are_rows_of_the_file(tmp_path):
    standard = read_standard(
        wide(tmp_path, RATIO, SUM, TWO + "acceptable", TWO.replace("1", "1.5", 1) + "permissible")
    )
    assert [term.property for term in standard.limit("nitrate_nitrite_ratio").terms] == ["nitrate", "nitrite"]
    assert standard.limit("trihalomethanes").exposure == "chronic"
    assert standard.limit("nitrate_nitrite_ratio").exposure_reason == "infants"
    assert standard.limit("fluoride").value == 1
    assert standard.limit("fluoride").exposure == "acute"
    assert [limit.tier for limit in standard.limits_for("fluoride")] == ["acceptable", "permissible"]
    assert standard.limits["terms"].tolist()[1] == "chloroform + bromoform"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (SUM.replace("bromoform", "bromine gas"), "row 3: the term 'bromine gas' cannot be read"),
        (SUM.replace("bromoform", "bromine"), "row 3: no property 'bromine' for a term"),
        (
            SUM.replace("+ bromoform", "+ trihalomethanes"),
            "row 3: trihalomethanes cannot be a term of itself",
        ),
        (SUM.replace(" + bromoform", ""), "row 3: terms takes 2 to 60 substances"),
        (SUM.replace("bromoform", "chloroform"), "row 3: the term chloroform stands there twice"),
        (SUM.replace("bromoform", "ph"), "row 3: the term ph cannot be added up"),
        (SUM.replace("bromoform", "bromoform/10 ug/L"), "row 3: the term bromoform is a share of 10"),
        (SUM.replace("above", "below"), "row 3: a rule with terms takes above or at_or_above, not below"),
        (RATIO.replace("/3 mg/L as NO2", ""), "row 3: the term nitrite has no denominator"),
        (RATIO.replace("/3 mg/L as NO2", "/"), "row 3: the term nitrite has no denominator"),
        (RATIO.replace("/3 mg/L as NO2", "/3 mg/L"), "row 3: the term nitrite needs its form"),
        (RATIO.replace("/3 mg/L as NO2", "/3 uS/cm"), "row 3: the term nitrite cannot be added up"),
        (RATIO.replace("acute", "sometimes"), "row 3: exposure is 'sometimes'; it takes acute, chronic"),
        (TWO + "lenient", "row 3: tier is 'lenient'; it takes acceptable, permissible"),
        (TWO + "acceptable", "row 3: fluoride has a health limit in row 2 already"),
        (TWO.replace(",1,", ",inf,") + "permissible", "row 3: value is 'inf'"),
        (
            TWO.replace("above,,,,", "above,,,2026-02-01,2026-01-01") + "permissible",
            "row 3: valid_from is after",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_a_sentence_that_names_the_row(tmp_path, row, sentence):
    path = wide(tmp_path, TWO + "acceptable", row)
    with pytest.raises(DataFileError, match=rf"our_village.csv, {sentence}"):
        read_standard(path)
    wide(tmp_path, TWO).rename(tmp_path / "fine.csv")
    path = wide(tmp_path, TWO + "acceptable", row)
    assert list(standards(tmp_path)) == ["fine"]


def test_a_limit_may_follow_another_of_its_kind_in_time(tmp_path):
    early = TWO.replace("above,,,,", "above,,,,2030-12-31")
    late = TWO.replace("above,,,,", "above,,,2031-01-01,").replace("1", "0.5", 1)
    standard = read_standard(wide(tmp_path, early, late))
    assert standard.limit("fluoride", date(2030, 6, 1)).value == 1
    assert standard.limit("fluoride", date(2031, 6, 1)).value == 0.5


def test_acute_limits_count_a_single_reading_and_say_why():
    for standard in standards().values():
        for limit in standard.rows:
            assert limit.exposure in ("acute", "chronic")
            if limit.property in ("nitrate", "nitrite", "e_coli", "enterococci", "total_coliforms"):
                assert limit.exposure == "acute"
            if limit.property in ("arsenic", "fluoride", "benzene", "pfoa") and limit.kind == "health":
                assert limit.exposure == "chronic"
            if limit.exposure == "chronic":
                assert limit.exposure_reason


def test_the_acceptable_limit_counts_before_the_permissible_one():
    india = standards()["india_is_10500"]
    assert india.limit("fluoride").value == 1.0
    assert [limit.value for limit in india.limits_for("fluoride")] == [1.0, 1.5]
    assert india.limit("nitrate").text() == "45 mg/L as NO3"


def test_pfas_limits_begin_on_the_day_they_came_into_force():
    epa, eu = standards()["us_epa_drinking_water"], standards()["eu_drinking_water"]
    assert epa.limit("pfoa", date(2024, 6, 24)) is None
    assert epa.limit("pfoa", date(2024, 6, 25)).value == 4
    assert eu.limit("pfas_sum_20", date(2026, 1, 11)) is None
    assert eu.limit("pfas_sum_20", date(2026, 1, 12)).value == 0.1

"""Limits: every file in the folder says what it says, and a mistake in one is a sentence with its row."""

from __future__ import annotations

from datetime import date

import pytest

from situation.errors import ChoiceError, DataFileError
from situation.standard import COLUMNS, FOLDER, broken_standards, read_standard, standard_named, standards

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
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_row_and_spoils_no_other_file(tmp_path, row, sentence):
    path = written(tmp_path, GOOD, row)
    with pytest.raises(DataFileError, match=sentence):
        read_standard(path)
    (tmp_path / "fine.csv").write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    assert list(standards(tmp_path)) == ["fine"]
    assert "row 3" in broken_standards(tmp_path)["our_village"]


def test_a_missing_column_and_an_empty_file_are_sentences(tmp_path):
    path = written(tmp_path)
    with pytest.raises(DataFileError, match="has no rows"):
        read_standard(path)
    path.write_text("property,value\nnitrate,5\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="has no column unit"):
        read_standard(path)

"""The reader of field files: every row accounted for, every question answerable, nobody named."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensors.field_file import FieldReading, Report, read, read_guarded, read_into
from situation.errors import FieldFileError, FileTooLarge
from situation.observation import ARROW, flat
from situation.settings import settings as read_settings
from situation.topic import topics

GROUNDWATER = topics()["groundwater"]


def _file(folder: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def _read(folder: Path, text: str, **options: object) -> FieldReading:
    return _accounted(read(_file(folder, text), **options))  # type: ignore[arg-type]


def _accounted(reading: FieldReading) -> FieldReading:
    report = reading.report
    assert report.rows_in == report.rows_observed + report.rows_quarantined + report.rows_waiting
    assert report.cells_quarantined == len(reading.quarantine)
    assert report.observations == len(reading.observations)
    assert reading.observations["source_row"].nunique() == report.rows_observed
    assert not (
        set(reading.quarantine["question_id"].dropna()) - {question.id for question in reading.questions}
    )
    return reading


# -- wide and long --------------------------------------------------------------------------------


def test_a_wide_table(tmp_path: Path) -> None:
    reading = _read(
        tmp_path, "Well,Lat,Lon,Date,Nitrate (mg/L as NO3),Iron (mg/l)\nA,7.2,1.1,2026-03-04,12,<0.5\n"
    )
    table = reading.observations.set_index("observed_property")
    assert table.loc["nitrate", "result"] == 12
    assert table.loc["iron", "detection_limit"] == 0.5
    assert table.loc["iron", "censoring"] == "<"
    assert pd.isna(table.loc["iron", "result"])
    assert (reading.report.layout, reading.report.sites, reading.questions) == ("wide", 1, [])


def test_a_long_table_in_french_with_decimal_commas(tmp_path: Path) -> None:
    text = (
        "Point de prélèvement;Latitude;Longitude;Date de prélèvement;Paramètre;Résultat;Unité\n"
        "Puits 3;7,2041;1,1789;04/03/2026;Nitrates;12,5;mg/L NO3\n"
        "Puits 3;7,2041;1,1789;14/03/2026;Fer total;n.d.;µg/l\n"
    )
    reading = _read(tmp_path, text)
    table = reading.observations.set_index("observed_property")
    assert (table.loc["nitrate", "result"], table.loc["nitrate", "method_speciation"]) == (12.5, "as NO3")
    assert (table.loc["iron", "censoring"], table.loc["iron", "sample_fraction"]) == ("<", "total")
    assert str(table.loc["nitrate", "phenomenon_time"])[:10] == "2026-03-04"
    assert table.loc["nitrate", "geometry"].x == pytest.approx(1.1789)


def test_condition_and_limit_in_columns_of_their_own(tmp_path: Path) -> None:
    text = (
        "site id,lat,lon,date,parameter,result,unit,qualifier,detection limit,detection limit unit\n"
        "W1,7.2,1.1,2026-03-04,Arsenic,,ug/L,ND,0.002,mg/L\n"
        "W1,7.2,1.1,2026-03-05,Arsenic,5,ug/L,<,,\n"
        "W1,7.2,1.1,2026-03-06,Arsenic,5,ug/L,E,,\n"
        "W1,7.2,1.1,2026-03-07,Arsenic,5,ug/L,>,,\n"
    )
    table = _read(tmp_path, text).observations
    assert list(table["censoring"]) == ["<", "<", "=", ">"]
    assert table["detection_limit"].iloc[0] == pytest.approx(2.0)  # the limit in the unit of the result
    assert table["detection_limit"].iloc[1] == 5
    assert table["detection_limit"].iloc[3] == 5
    assert table["result_status"].iloc[2] == "estimated"


def test_a_site_table_gives_places(tmp_path: Path) -> None:
    sites = _file(tmp_path, "Site ID,Site name,Latitude,Longitude\nW1,Old well,7.2,1.1\n", "sites.csv")
    reading = _read(tmp_path, "site id,date,pH\nW1,2026-03-04,7.1\nW9,2026-03-04,7.2\n", sites=sites)
    table = reading.observations
    assert table["monitoring_location_name"].iloc[0] == "Old well"
    assert table.geometry.iloc[0].y == 7.2
    assert table.geometry.iloc[1] is None
    assert reading.report.rows_without_place == 1
    assert any("no place" in warning for warning in reading.report.warnings)


def test_known_sites_give_places(tmp_path: Path) -> None:
    known = pd.DataFrame(
        {
            "monitoring_location_id": ["upload:Well 3"],
            "monitoring_location_name": ["Well 3"],
            "longitude": [1.1],
            "latitude": [7.2],
        }
    )
    table = _read(tmp_path, "Well,Date,pH\nwell-3,2026-03-04,7.1\n", known_sites=known).observations
    assert table.geometry.iloc[0].x == 1.1


# -- questions ------------------------------------------------------------------------------------


def test_the_form_of_nitrate_is_asked_and_unknown_is_an_answer(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,Nitrate (ppm)\nA,7.2,1.1,2026-03-04,12\n"
    reading = _read(tmp_path, text)
    assert [question.id for question in reading.questions] == ["species-nitrate"]
    assert {choice.value for choice in reading.questions[0].choices} >= {"as N", "as NO3", "unknown"}
    assert reading.report.rows_waiting == 1
    unknown = _read(tmp_path, text, answers={"species-nitrate": "unknown"})
    assert pd.isna(unknown.observations["method_speciation"].iloc[0])
    assert unknown.questions == []
    known = _read(tmp_path, text, answers={"species-nitrate": "as N"})
    assert known.observations["method_speciation"].iloc[0] == "as N"


def test_a_missing_unit_is_asked(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,NO3,pH\nA,7.2,1.1,2026-03-04,12,7\n"
    reading = _read(tmp_path, text)
    assert [question.id for question in reading.questions] == ["unit-no3"]
    assert list(reading.observations["observed_property"]) == ["ph"]  # pH has one unit by nature
    assert _read(tmp_path, text, answers={"unit-no3": "mg/l"}).observations["unit"].tolist() == [
        "mg/L",
        "[pH]",
    ]


@pytest.mark.parametrize(
    ("other", "asked", "day"), [("13/3/2026", False, "2026-03-04"), ("3/13/2026", False, "2026-04-03")]
)
def test_one_clear_date_settles_the_others(tmp_path: Path, other: str, asked: bool, day: str) -> None:
    reading = _read(tmp_path, f"Well,Lat,Lon,Date,pH\nA,7.2,1.1,4/3/2026,7\nA,7.2,1.1,{other},7\n")
    assert bool(reading.questions) is asked
    assert str(reading.observations["phenomenon_time"].iloc[0])[:10] == day


def test_day_or_month_is_asked_once(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,pH\nA,7.2,1.1,4/3/2026,7\nA,7.2,1.1,5/3/2026,7\n"
    reading = _read(tmp_path, text)
    assert [(question.id, question.rows_waiting) for question in reading.questions] == [("date-order", 2)]
    days = _read(tmp_path, text, answers={"date-order": "mdy"}).observations["phenomenon_time"]
    assert [str(day)[:10] for day in days] == ["2026-04-03", "2026-05-03"]


def test_dates_that_contradict_each_other_wait(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,pH\nA,7.2,1.1,4/3/2026,7\nA,7.2,1.1,13/3/2026,7\nA,7.2,1.1,3/13/2026,7\n"
    reading = _read(tmp_path, text)
    assert reading.report.rows_waiting == 1
    assert reading.questions[0].id == "date-order"


def test_a_decimal_comma_is_asked_when_nothing_settles_it(tmp_path: Path) -> None:
    text = "Well;Lat;Lon;Date;Chloride (mg/L)\nA;7.2;1.1;2026-03-04;1,234\n"
    assert [question.id for question in _read(tmp_path, text).questions] == ["decimal"]
    assert _read(tmp_path, text, answers={"decimal": "comma"}).observations["result"].tolist() == [1.234]
    assert _read(tmp_path, text, answers={"decimal": "point"}).observations["result"].tolist() == [1234.0]


def test_a_reference_system_is_asked(tmp_path: Path) -> None:
    text = "Well,Easting,Northing,Date,pH\nA,548785,9523807,2026-03-04,7\n"
    reading = _read(tmp_path, text)
    assert [question.id for question in reading.questions] == ["crs"]
    place = _read(tmp_path, text, answers={"crs": "EPSG:21037"}).observations.geometry.iloc[0]
    assert (place.x, place.y) == pytest.approx((39.440525, -4.310762), abs=1e-5)
    topic = dataclasses.replace(GROUNDWATER, crs=("EPSG:21037",))
    named = _read(tmp_path, text, topic=topic)
    assert named.questions == []
    assert named.observations.geometry.iloc[0].x == pytest.approx(place.x)


def test_a_repeated_constant_is_asked(tmp_path: Path) -> None:
    rows = "".join(f"W{n},7.2,1.{n:02d},2026-03-04,0.7999\n" for n in range(8))
    rows += "".join(f"V{n},7.2,1.{n:02d},2026-03-04,{n + 2}.1\n" for n in range(6))
    text = f"Well,Lat,Lon,Date,Lead (ug/L)\n{rows}"
    reading = _read(tmp_path, text)
    assert [(q.id, q.rows_waiting) for q in reading.questions] == [("constant-0-7999", 8)]
    below = _read(tmp_path, text, answers={"constant-0-7999": "limit"}).observations
    assert (below["censoring"] == "<").sum() == 8
    assert set(below["detection_limit"].dropna()) == {0.7999}
    real = _read(tmp_path, text, answers={"constant-0-7999": "real"})
    assert (real.observations["result"] == 0.7999).sum() == 8
    gone = _read(tmp_path, text, answers={"constant-0-7999": "missing"})
    assert gone.report.observations == 6
    assert gone.report.rows_quarantined == 8


def test_minus_9999_is_asked(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,Turbidity (NTU)\nA,7.2,1.1,2026-03-04,-9999\nA,7.2,1.1,2026-03-05,3\n"
    reading = _read(tmp_path, text)
    assert [q.id for q in reading.questions] == ["constant-minus-9999"]
    assert reading.report.rows_waiting == 1
    gone = _read(tmp_path, text, answers={"constant-minus-9999": "missing"})
    assert gone.observations["result"].tolist() == [3.0]
    assert gone.report.rows_quarantined == 1


def test_questions_are_plain_data(tmp_path: Path) -> None:
    report = _read(tmp_path, "Well,Lat,Lon,Date,Nitrate (ppm)\nA,7.2,1.1,4/3/2026,12\n").report
    assert {question.id for question in report.questions} == {"species-nitrate", "date-order"}
    assert all(question.rows_waiting == 1 for question in report.questions)
    assert Report.from_data(json.loads(report.to_json())) == report


# -- what cannot be used --------------------------------------------------------------------------

# header, row, column of the line, words of the reason, observations
BAD = [
    ("Well,Lat,Lon,Date,pH", "A,7.2,1.1,not a date,7", "Date", "date", 0),
    ("Well,Lat,Lon,Date,pH", "A,7.2,1.1,2126-03-04,7", "Date", "future", 0),
    ("Well,Lat,Lon,Date,pH", "A,0,0,2026-03-04,7", "Lat", "0, 0", 1),
    ("Well,Lat,Lon,Date,pH", "A,7.2,1.1,2026-03-04,17", "pH", "14", 0),
    ("Well,Lat,Lon,Date,Iron (mg/L)", "A,7.2,1.1,2026-03-04,-3", "Iron (mg/L)", "below zero", 0),
    ("Well,Lat,Lon,Date,Iron (mg/L)", "A,7.2,1.1,2026-03-04,rusty", "Iron (mg/L)", "words", 0),
    ("Lat,Lon,Date,pH", ",,2026-03-04,7", "Lat", "no site and no place", 0),
    ("Well,Lat,Lon,Date,Depth (m),pH", "A,7.2,1.1,2026-03-04,-5,7", "Depth (m)", "negative", 1),
    ("Well,Lat,Lon,Date,pH", "A,95,1.1,2026-03-04,7", "Lat", "swapped", 0),
    ("Well,Lat,Lon,Date,pH", "A,95,195,2026-03-04,7", "Lat", "", 1),
]


@pytest.mark.parametrize(("header", "row", "column", "words", "count"), BAD)
def test_each_unusable_cell_is_a_line_with_reason_and_fix(
    tmp_path: Path, header: str, row: str, column: str, words: str, count: int
) -> None:
    reading = _read(tmp_path, f"{header}\n{row}\n", topic=GROUNDWATER)
    assert reading.report.observations == count
    line = reading.quarantine.iloc[0]
    assert (line["source_row"], line["column"]) == (2, column)
    assert words in line["reason"]
    assert line["fix"]


def test_blank_and_footer_rows_are_quarantined_as_such(tmp_path: Path) -> None:
    reading = _read(
        tmp_path, "Well,Lat,Lon,Date,pH\nA,7.2,1.1,2026-03-04,7\n\nB,7.2,1.1,2026-03-04,\nEnd of file,,,,\n"
    )
    assert (reading.report.rows_in, reading.report.rows_observed, reading.report.rows_quarantined) == (
        4,
        1,
        3,
    )
    reasons = dict(zip(reading.quarantine["source_row"], reading.quarantine["reason"], strict=True))
    assert "blank" in reasons[3]
    assert "no reading" in reasons[4]
    assert "footer" in reasons[5]


def test_negative_radioactivity_isotopes_and_temperatures_are_valid(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,Tritium (pCi/L),delta_O_18,Temperature (°C)\nA,7.2,1.1,2026-03-04,-12,-3.4,-1\n"
    reading = _read(tmp_path, text)
    assert reading.observations["result"].tolist() == [-12.0, -3.4, -1.0]
    assert len(reading.quarantine) == 0


def test_a_row_repeated_in_the_file_gets_an_ordinal(tmp_path: Path) -> None:
    row = "A,7.2,1.1,2026-03-04,7\n"
    table = _read(tmp_path, f"Well,Lat,Lon,Date,pH\n{row}{row}{row}").observations
    assert [None if pd.isna(word) else word for word in table["replicate"]] == [None, "2", "3"]
    assert table["observation_id"].is_unique


def test_people_are_dropped_everywhere(tmp_path: Path) -> None:
    text = (
        "Well,Lat,Lon,Date,Nitrate (ppm),Phone,Sampled by,E-mail,Notes,What is this\n"
        "A,7.2,1.1,2026-03-04,bad,+4412345,Jane Roe,jane@example.invalid,call Jane,Jane Roe\n"
    )
    path = _file(tmp_path, text)
    read_into(path, tmp_path / "out")
    everything = "".join(
        str(pq.read_table(tmp_path / "out" / name).to_pydict())
        for name in ("observations.parquet", "quarantine.parquet")
    )
    everything += (tmp_path / "out" / "report.json").read_text("utf-8") + (
        tmp_path / "out" / "mapping.toml"
    ).read_text("utf-8")
    for secret in ("4412345", "Jane", "example.invalid"):
        assert secret not in everything


def test_text_of_strangers_stays_text(tmp_path: Path) -> None:
    text = 'Well,Lat,Lon,Date,pH\n"=HYPERLINK(""x"")",7.2,1.1,2026-03-04,7\n{{7*7}}</script>,7.2,1.2,2026-03-04,=1+1\n'
    reading = _read(tmp_path, text)
    assert reading.observations["monitoring_location_name"].iloc[0] == '=HYPERLINK("x")'
    assert reading.report.rows_quarantined == 1


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Well\nA\nB\n", 2),
        ("a,b,c\n1,2,3\n4,5,6\n", 2),
        ("Date,pH\n2026-03-04,7\n", 1),
        ("Well,Lat,Lon,pH\nA,7.2,1.1,7\n", 1),
    ],
)
def test_little_files_lose_nothing(tmp_path: Path, text: str, rows: int) -> None:
    reading = _read(tmp_path, text)
    assert (reading.report.rows_in, reading.report.observations) == (rows, 0)
    assert reading.report.rows_quarantined + reading.report.rows_waiting == rows


def test_a_thousand_columns_are_a_sentence(tmp_path: Path) -> None:
    path = _file(tmp_path, ",".join(f"c{n}" for n in range(1_000)) + "\n" + ",".join("1" * 1_000) + "\n")
    with pytest.raises(FileTooLarge, match="columns"):
        read(path)


@pytest.mark.parametrize("body", [b"", b"Well,Lat,Lon,Date,pH\n", bytes(range(256)) * 40])
def test_no_table_is_a_sentence(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(body)
    with pytest.raises(FieldFileError) as wrong:
        read(path)
    assert len(str(wrong.value)) > 20


# -- into a folder, guarded -----------------------------------------------------------------------


def test_reading_in_blocks_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"W{n % 3},7.2,1.1,2026-03-{n % 28 + 1:02d},{n % 5 + 1}\n" for n in range(500))
    path = _file(tmp_path, f"Well,Lat,Lon,Date,Iron (mg/L)\n{rows}W1,7.2,1.1,13/3/2026,<1\n")
    whole = _accounted(read(path))
    monkeypatch.setattr("sensors.field_file.BLOCK", 64)
    monkeypatch.setattr("sensors.field_file._KEEP_ROWS", 100)
    report = read_into(path, tmp_path / "out")
    parts = pq.read_table(tmp_path / "out" / "observations.parquet")
    assert parts.schema.equals(ARROW)
    assert parts["observation_id"].to_pylist() == list(whole.observations["observation_id"])
    assert dataclasses.replace(report, warnings=[]) == dataclasses.replace(whole.report, warnings=[])


def test_read_guarded_gives_what_read_into_gives(tmp_path: Path) -> None:
    path = _file(tmp_path, "Well,Lat,Lon,Date,Nitrate (ppm)\nA,7.2,1.1,2026-03-04,12\n")
    topic = GROUNDWATER
    inside = read_into(path, tmp_path / "a", topic, answers={"species-nitrate": "as N"}, contributor="rita")
    guarded = read_guarded(
        path, tmp_path / "b", topic=topic, answers={"species-nitrate": "as N"}, contributor="rita"
    )
    assert guarded == inside
    one, two = (pq.read_table(tmp_path / name / "observations.parquet").to_pandas() for name in "ab")
    assert one.drop(columns="retrieved_at").equals(two.drop(columns="retrieved_at"))
    assert set(one["source_id"]) == {"upload:rita"}
    with pytest.raises(FieldFileError):
        read_guarded(tmp_path, tmp_path / "c", topic=topic)


def test_a_mapping_answers_for_the_next_file(tmp_path: Path) -> None:
    text = "Well,Lat,Lon,Date,Nitrate (ppm)\nA,7.2,1.1,4/3/2026,12\n"
    first = _read(tmp_path, text, answers={"species-nitrate": "as N", "date-order": "dmy"})
    first.mapping.save(tmp_path / "mapping.toml")
    again = _read(tmp_path, text.replace("12", "15"), mapping=tmp_path / "mapping.toml")
    assert again.questions == []
    assert again.observations["result"].tolist() == [15.0]
    assert again.report.shape == first.report.shape


# -- any table ------------------------------------------------------------------------------------

_CELL = st.one_of(
    st.sampled_from(["", "<0,5", "ND", "n.n.", ">2400", "E 3.2", "-9999", "0.7999", "1,234", "7.2", "12", "NA", "-3", "rusty", "1e3", "٣٫٥"]),
    st.floats(-1e6, 1e6).map(lambda number: f"{number:g}"),
    st.text(max_size=8),
)  # fmt: skip
_DATE = st.sampled_from(
    ["2026-03-04", "4/3/2026", "13/3/2026", "3/13/2026", "46085", "", "soon", "2126-01-01", "2026-03"]
)
_PLACE = st.sampled_from(["7.2", "1.1", "0", "", "95", "7°12'N", "548785", "x", "-7,2"])
_ROW = st.tuples(st.sampled_from(["A", "b ", "", "Well 3"]), _PLACE, _PLACE, _DATE, _CELL, _CELL)
_WIDE = "Well,Lat,Lon,Date,Nitrate (mg/L as N),NO3"
_LONG = "site id,lat,lon,date,parameter,result"
TABLE = st.tuples(st.sampled_from([_WIDE, _LONG]), st.lists(_ROW, min_size=1, max_size=8))


def _any_file(folder: Path, header: str, rows: list[tuple[str, ...]]) -> Path:
    path = folder / "any.csv"
    pd.DataFrame(rows, columns=header.split(",")).to_csv(path, index=False, encoding="utf-8")
    return path


def _check_twice(path: Path) -> None:
    one, two = (_accounted(read(path, GROUNDWATER)) for _ in range(2))
    assert one.report == two.report
    assert one.quarantine.equals(two.quarantine)
    first, second = (flat(reading.observations).drop(columns="retrieved_at") for reading in (one, two))
    assert first.equals(second)
    assert first["observation_id"].is_unique


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(table=TABLE)
def test_any_table_is_accounted_for(tmp_path: Path, table: tuple[str, list[tuple[str, ...]]]) -> None:
    _accounted(read(_any_file(tmp_path, *table), GROUNDWATER))


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    rows = [("A", "7.2", "1.1", "2026-03-04", "<0,5", "12"), ("A", "7.2", "1.1", "13/3/2026", "ND", "-3")]
    _check_twice(_any_file(tmp_path, _WIDE, rows))


@pytest.mark.torture
@settings(max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=TABLE)
def test_any_table_is_accounted_for_long(tmp_path: Path, table: tuple[str, list[tuple[str, ...]]]) -> None:
    _check_twice(_any_file(tmp_path, *table))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(body=st.binary(max_size=400))
def test_random_bytes_are_a_sentence_or_a_table(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "random.csv"
    path.write_bytes(body)
    try:
        reading = read(path, settings=read_settings())
    except FieldFileError:
        return
    _accounted(reading)

"""Field files as rows of text: every cell comes back, under the line an editor shows, or a sentence says why not."""

from __future__ import annotations

import csv
import dataclasses
import io
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sensors import raw_table, workbook
from sensors.header import default_score, find_header, kind_of_second_row, unique
from sensors.raw_table import open_table
from situation.errors import FieldFileError, FileTooLarge
from situation.settings import ROOT, Settings, settings

SAMPLES = ROOT.parent / "shared" / "samples"
NO_SAMPLES = "the sample files are not at hand (../shared/samples)"
LIMITS = settings()
quick = examples(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
long = examples(quick, max_examples=2500)


def opened(folder: Path, data: bytes | str, name: str = "file.csv", limits: Settings = LIMITS, **more):
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return open_table(path, limits, **more)


def rows(table) -> list[list[str]]:
    return table.read().to_numpy().tolist()


# --- letters --------------------------------------------------------------------------------------

GERMAN = "Messstelle;Datum;Nitrat (mg/l)\nGewässer Süd;2026-03-04;5,5\nÜbergang;2026-03-05;6\n"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_any_encoding_gives_the_same_cells(tmp_path, codec):
    table = opened(tmp_path, GERMAN.encode(codec))
    assert rows(table) == [["Gewässer Süd", "2026-03-04", "5,5"], ["Übergang", "2026-03-05", "6"]]
    assert table.columns == ["Messstelle", "Datum", "Nitrat (mg/l)"]


ARABIC = "الموقع,التاريخ,النترات\nبئر القرية الشمالية,2026-01-01,5\nبئر المدرسة,2026-01-02,6\n"


@pytest.mark.parametrize("codec", ["utf-8", "cp1256", "utf-16"])
def test_arabic_files_keep_their_letters_and_the_guess_is_said(tmp_path, codec):
    table = opened(tmp_path, ARABIC.encode(codec))
    assert table.columns == ["الموقع", "التاريخ", "النترات"]
    assert ("Windows-1256" in " ".join(table.warnings)) == (codec == "cp1256")


def test_one_odd_byte_in_a_utf8_file_does_not_spoil_the_rest(tmp_path):
    text = GERMAN.encode() + "Höhe;2026-03-06;7\n".encode("cp1252")
    assert rows(opened(tmp_path, text))[2][0] == "Höhe"


def test_nul_characters_are_said_and_their_rows_kept(tmp_path):
    table = opened(tmp_path, b"site,date,NO3\nA,2026-01-01,5\n\x00B,2026-01-02,\x006\n")
    assert rows(table)[1] == ["B", "2026-01-02", "6"]
    assert "2 NUL characters" in table.warnings[0]
    assert "line 3" in table.warnings[0]


# --- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_counts_lines_alike(tmp_path, end):
    text = end.join(["site,date,note,NO3", "A,2026-01-01,x,5", "", "B,2026-01-02,y,6"])
    table = opened(tmp_path, text).read()
    assert table.index.tolist() == [2, 3, 4]
    assert table.attrs["not_readings"] == {3: "blank line"}


def test_a_cell_over_two_lines_moves_the_numbers_of_the_rows_under_it(tmp_path):
    table = opened(
        tmp_path, 'site,date,note,NO3\r\nA,2026-01-01,"two\r\nlines",5\r\nB,2026-01-02,,6\r\n'
    ).read()
    assert table.index.tolist() == [2, 4]
    assert table.iloc[0, 2] == "two\nlines"


def test_a_row_with_too_many_cells_loses_none(tmp_path):
    table = opened(tmp_path, "site,date,NO3\nA,2026-01-01,5,more,\nB,2026-01-02\nC,2026-01-03,7,\n").read()
    assert table.to_numpy().tolist() == [
        ["A", "2026-01-01", "5"],
        ["B", "2026-01-02", ""],
        ["C", "2026-01-03", "7"],
    ]
    assert table.attrs["surplus"] == {2: ["more", ""]}


@pytest.mark.parametrize("after", ["", '"C",2026-01-03,7\n', 'C,2026-01-03,"7"\n'])
def test_a_quotation_mark_too_many_costs_no_row(tmp_path, after):
    table = opened(tmp_path, f'site,date,NO3\nA,2026-01-01,5\n"B,2026-01-02,6\nD,2026-01-04,8\n{after}')
    got = table.read()
    assert got.iloc[:3, 0].tolist() == ["A", '"B', "D"]
    assert got.index.tolist() == list(range(2, 2 + len(got)))
    assert "Line 3 opens a quotation mark" in " ".join(table.warnings)


def test_inches_in_a_cell_are_letters(tmp_path):
    assert rows(opened(tmp_path, 'site,pipe,NO3\nA,12" steel,5\nB,"3"" pvc",6\n')) == [
        ["A", '12" steel', "5"], ["B", '3" pvc', "6"],
    ]  # fmt: skip


def test_the_apostrophe_of_our_own_exports_is_taken_off(tmp_path):
    table = opened(tmp_path, "site,note,NO3\nA,'=1+1,5\nB,'quoted',6\nC,it's,'-7\n")
    assert [row[1:] for row in rows(table)] == [["=1+1", "5"], ["'quoted'", "6"], ["it's", "-7"]]


def test_reading_in_small_blocks_gives_the_same_rows(tmp_path):
    text = "site,date,note,NO3\n" + "".join(
        f'{n},2026-01-01,"a{"" if n % 7 else chr(10)}b",{n}\n' for n in range(300)
    )
    table = opened(tmp_path, text)
    small = pd.concat(list(table.blocks(11)))
    pd.testing.assert_frame_equal(small, table.read())
    assert len(small) == 300


# --- header ---------------------------------------------------------------------------------------


def test_columns_of_the_same_name_are_numbered():
    assert unique(["a", "a", "", "a (2)", "a"]) == ["a", "a (3)", "column 3", "a (2)", "a (4)"]


def test_a_preamble_stays_over_the_header(tmp_path):
    text = "# Site: River, north\n# Sensor: x\n#\nDateTime,Temp C,Battery V\n2026-01-01 00:00,5.5,4\n2026-01-01 00:05,-9999,4\n"
    table = opened(tmp_path, text)
    assert (table.header_row, table.columns) == (4, ["DateTime", "Temp C", "Battery V"])
    assert table.preamble[0] == (1, "# Site: River, north")


def test_column_names_may_begin_with_a_hash(tmp_path):
    table = opened(tmp_path, "#lat_deg,#lon_deg,#water_source\n1.5,2.5,Well\n1.6,2.6,Well\n")
    assert table.columns == ["#lat_deg", "#lon_deg", "#water_source"]
    assert len(table.read()) == 2


@pytest.mark.parametrize(
    ("second", "reason"), [("#loc+name,,#indicator", "HXL tags"), (",,mg/l", "units"), (",,", "blank line")]
)
def test_a_row_that_describes_columns_is_kept_and_named(tmp_path, second, reason):
    if reason == "units":
        second = ",d,mg/l"
    table = opened(tmp_path, f"site,date,NO3\n{second}\nA,2026-01-01,5\n")
    got = table.read()
    assert got.attrs["not_readings"] == {2: reason}
    assert len(got) == 2


def test_a_logger_that_repeats_its_header_is_noticed(tmp_path):
    table = opened(
        tmp_path, "time,lat,lon,temp\n2026-01-01,0,0,5\ntime,lat,lon,temp\n2026-01-02,0,0,6\n"
    ).read()
    assert table.attrs["not_readings"] == {3: "header repeated"}


def test_a_table_without_a_header_keeps_its_first_row(tmp_path):
    table = opened(tmp_path, "A,2026-01-01,5\nB,2026-01-02,6\nC,2026-01-03,7\n")
    assert table.header_row == 0
    assert len(table.read()) == 3


def test_words_under_a_header_are_rows(tmp_path):
    table = opened(tmp_path, "site,state,\nA,good,x\nB,bad,y\nC,good,z\n").read()
    assert len(table) == 3
    assert table.attrs["not_readings"] == {}


def test_a_units_row_is_not_confused_with_readings():
    assert kind_of_second_row(["", "mg/l", "µS/cm"], 3) == "units"
    assert kind_of_second_row(["Well A", "clear", "none"], 3) is None
    assert kind_of_second_row(["", "", ""], 3) == "empty"


def test_groups_over_repeated_names_become_part_of_them():
    found = find_header([(1, ["", "Nitrate", "", "Arsenic", ""]), (2, ["Site", "Value", "Flag", "Value", "Flag"]),
                         (3, ["A", "5", "", "0.1", "<"]), (4, ["B", "6", "", "0.2", ""])])  # fmt: skip
    assert found.names == ["Site", "Nitrate Value", "Nitrate Flag", "Arsenic Value", "Arsenic Flag"]


def test_known_names_decide_when_shapes_do_not():
    table = [(1, ["alpha", "beta"]), (2, ["Datum", "Nitrat"]), (3, ["gamma", "delta"])]
    assert find_header(table, default_score).index == 1


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "blank lines"),
        (b"site,date,NO3\n", "no row under it"),
        (b"%PDF-1.7 x", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "picture"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (b'{"type": "FeatureCollection"}', "JSON"),
        (b'<?xml version="1.0"?><Workbook/>', "XML"),
        (bytes(range(256)) * 20, "binary"),
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
    ],
)
def test_what_is_not_a_table_is_refused_in_a_sentence(tmp_path, data, says):
    with pytest.raises(FieldFileError, match=says):
        opened(tmp_path, data)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(FieldFileError, match="folder"):
        open_table(tmp_path, LIMITS)
    with pytest.raises(FieldFileError, match="no file"):
        open_table(tmp_path / "nothing.csv", LIMITS)


def test_too_many_columns_are_refused(tmp_path):
    line = ",".join(f"c{n}" for n in range(1000)) + "\n"
    with pytest.raises(FileTooLarge, match="1,000 columns"):
        opened(tmp_path, line + line)


def test_one_row_of_a_million_columns_is_refused_quickly(tmp_path):
    begun = time.process_time()
    with pytest.raises(FileTooLarge):
        opened(tmp_path, b"1234567," * 1_000_000 + b"\n1\n")
    assert time.process_time() - begun < 5


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    with pytest.raises(FileTooLarge, match="COMMONSIGHT_MAX_UPLOAD_MB"):
        opened(tmp_path, b"a,b\n" + b"1,2\n" * 300_000, limits=dataclasses.replace(LIMITS, max_upload_mb=1))


@pytest.mark.parametrize("lines", [b"x" * 999 + b"\n", b"x" * 999])
def test_two_hundred_megabytes_of_one_open_quote_are_bounded(tmp_path, lines):
    path = tmp_path / "open.csv"
    with path.open("wb") as file:
        file.write(b'site,date,NO3\n"')
        for _ in range(40 if lines.endswith(b"\n") else 200):
            file.write(lines * 1000)
    begun = time.process_time()
    limits = dataclasses.replace(LIMITS, max_upload_mb=500)
    if lines.endswith(b"\n"):
        count = sum(len(block) for block in open_table(path, limits).blocks())
        assert count == 40_000
    else:
        with pytest.raises(FileTooLarge, match="line"):
            open_table(path, limits)
    assert time.process_time() - begun < 15


def test_a_cell_too_long_is_refused_with_its_line(tmp_path):
    table = "site,date,NO3\n" + "A,2026-01-01,5\n" * 40_000 + "B," + "x" * 200_000 + ",6\n"
    with pytest.raises(FileTooLarge, match="line 40002"):
        opened(tmp_path, table).read()


def test_a_file_that_grows_is_read_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_table.encoding, "IN_MEMORY", 0)
    table = opened(tmp_path, "site,date,NO3\nA,2026-01-01,5\n")
    with (tmp_path / "file.csv").open("a") as file:
        file.write("B,2026-01-02,6\n")
    assert len(table.read()) == 1


def test_a_file_that_changes_under_our_hands_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_table.encoding, "IN_MEMORY", 0)
    table = opened(tmp_path, "site,date,NO3\nA,2026-01-01,5\n")
    (tmp_path / "file.csv").write_text("site,date,NO3\nA,2026-01-01,9\n")
    with pytest.raises(FieldFileError, match="changed while"):
        table.read()


# --- workbooks ------------------------------------------------------------------------------------


def book(folder: Path, sheets: dict[str, list[list[object]]], name: str = "file.xlsx") -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, lines in sheets.items():
        sheet = made.create_sheet(title)
        for line in lines:
            sheet.append(line)
    made.save(folder / name)
    return folder / name


READINGS = [
    ["Site", "Date", "Nitrate mg/l"],
    ["A", pd.Timestamp("2026-03-04"), 5.5],
    ["B", pd.Timestamp("2026-03-05 08:12:31"), 7],
]


def test_cells_of_a_workbook_read_as_a_spreadsheet_shows_them(tmp_path):
    lines = [*READINGS, ["C", 46085, 0.1 + 0.2], ["D", None, True]]
    table = open_table(book(tmp_path, {"Data": lines}), LIMITS)
    assert rows(table) == [
        ["A", "2026-03-04", "5.5"], ["B", "2026-03-05T08:12:31", "7"], ["C", "46085", "0.3"], ["D", "", "TRUE"],
    ]  # fmt: skip


def test_the_sheet_that_looks_like_readings_is_read_and_the_others_are_named(tmp_path):
    path = book(tmp_path, {"Read me": [["Survey of 2026"], ["Ask Ada"]], "Data": READINGS, "Empty": []})
    table = open_table(path, LIMITS)
    assert (table.sheet, table.unread) == ("Data", {"Read me": 2})
    assert "'Read me'" in table.warnings[0]
    assert open_table(path, LIMITS, sheet="Read me").sheet == "Read me"
    with pytest.raises(FieldFileError, match="no sheet 'Nope'"):
        open_table(path, LIMITS, sheet="Nope")


def test_rows_of_a_sheet_bear_the_numbers_the_spreadsheet_shows(tmp_path):
    path = book(
        tmp_path,
        {"Data": [[], ["A survey"], [], [None, *READINGS[0]], *([None, *line] for line in READINGS[1:])]},
    )
    table = open_table(path, LIMITS)
    assert table.header_row == 4
    assert table.read().index.tolist() == [5, 6]
    assert table.columns[1:] == ["Site", "Date", "Nitrate mg/l"]


def test_error_cells_keep_their_name_and_unsaved_formulas_are_said(tmp_path):
    made = openpyxl.Workbook()
    sheet = made.active
    for line in READINGS:
        sheet.append(line)
    sheet["C2"] = "#DIV/0!"
    sheet["C2"].data_type = "e"
    sheet["C3"] = "=1+1"
    made.save(tmp_path / "file.xlsx")
    table = open_table(tmp_path / "file.xlsx", LIMITS)
    assert rows(table)[0][2] == "#DIV/0!"
    assert "1 formulas have no saved value" in " ".join(table.warnings)


def test_xls_and_ods_are_read_alike(tmp_path):
    xlwt, odf = pytest.importorskip("xlwt"), pytest.importorskip("odf.opendocument")
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    old = xlwt.Workbook()
    sheet = old.add_sheet("Data")
    new = odf.OpenDocumentSpreadsheet()
    table = Table(name="Data")
    for at, line in enumerate([["Site", "NO3"], ["A", 5.5], ["B", 7.0]]):
        row = TableRow()
        for place, value in enumerate(line):
            sheet.write(at, place, value)
            kind = (
                {"valuetype": "float", "value": value}
                if isinstance(value, float)
                else {"valuetype": "string"}
            )
            cell = TableCell(**kind)
            cell.addElement(P(text=str(value)))
            row.addElement(cell)
        table.addElement(row)
    new.spreadsheet.addElement(table)
    old.save(str(tmp_path / "file.xls"))
    new.save(str(tmp_path / "file.ods"))
    for name in ("file.xls", "file.ods"):
        got = open_table(tmp_path / name, LIMITS)
        assert (got.kind, rows(got)) == (name[-3:], [["A", "5.5"], ["B", "7"]])


def bomb(path: Path, sheet: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    whole = book(path.parent, {"Data": READINGS}, "small.xlsx")
    with zipfile.ZipFile(whole) as small, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as big:
        for member in small.infolist():
            big.writestr(
                member, sheet if member.filename.endswith("sheet1.xml") else small.read(member.filename)
            )
    return path


def test_a_workbook_that_unfolds_to_312_megabytes_is_refused_quickly(tmp_path):
    cell = b'<row r="1">' + b'<c r="A1"><v>1</v></c>' * 1000 + b"</row>"
    sheet = b"<worksheet><sheetData>" + cell * (312_000_000 // len(cell)) + b"</sheetData></worksheet>"
    path = bomb(tmp_path / "bomb.xlsx", sheet)
    begun = time.process_time()
    with pytest.raises(FileTooLarge, match="unfold"):
        open_table(path, LIMITS)
    assert time.process_time() - begun < 5


def test_two_cells_in_the_far_corners_are_refused(tmp_path):
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        b"</sheetData></worksheet>"
    )
    with pytest.raises(FileTooLarge, match="1,048,576 rows"):
        open_table(bomb(tmp_path / "corners.xlsx", sheet), LIMITS)


def test_a_workbook_that_lies_about_its_size_is_refused(tmp_path, monkeypatch):
    path = bomb(tmp_path / "liar.xlsx", b"<worksheet>" + b" " * 60_000_000 + b"</worksheet>")
    data = path.read_bytes()
    real = (60_000_000 + 23).to_bytes(4, "little")
    assert data.count(real) == 2
    path.write_bytes(data.replace(real, (1000).to_bytes(4, "little")))
    with pytest.raises(FieldFileError):
        open_table(path, LIMITS)


def test_a_damaged_workbook_is_refused_whatever_the_damage(tmp_path):
    whole = book(tmp_path, {"Data": READINGS}).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        broken = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        try:
            opened(tmp_path, broken, "broken.xlsx").read()
        except FieldFileError:
            continue


def test_cells_that_a_workbook_repeats_by_the_million_are_counted(tmp_path):
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:spreadsheet><table:table table:name="x">'
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="float" office:value="1" '
        'table:number-columns-repeated="1000"/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>'
    )
    path = tmp_path / "repeated.ods"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", content)
    with pytest.raises(FileTooLarge):
        open_table(path, LIMITS)


def test_text_of_numbers_is_what_a_spreadsheet_shows():
    assert [workbook.text(value) for value in (1e20, -0.0, 1e-7, 123456789012.0)] == [
        "1e+20",
        "0",
        "1e-07",
        "123456789012",
    ]


# --- any table ------------------------------------------------------------------------------------

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="'\ufeff")
CELL = st.one_of(
    st.text(LETTERS, max_size=12),
    st.text(st.sampled_from('ab,;|"\n é1.<'), max_size=8),
    st.sampled_from(["", "5,5", "<0.5", "2026-03-04", "7.2"]),
)


@st.composite
def tables(draw) -> list[list[str]]:
    width = draw(st.integers(2, 6))
    header = ["site", "date", "NO3 (mg/l)", "note", "latitude", "longitude"][:width]
    body = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=12))
    # A first column that is always filled tells rows from gaps, and a table from its description.
    for at, line in enumerate(body):
        line[0], line[1] = f"W{at}", "2026-01-01"
    return [header, *body]


def written(table: list[list[str]], delimiter: str, end: str, codec: str, quoting: int) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)
    return text.getvalue().encode(codec)


def check_round_trip(folder, table, delimiter, end, codec, quoting):
    data = written(table, delimiter, end, codec, quoting)
    got = opened(folder, data)
    assert got.columns == table[0]
    assert rows(got) == table[1:]
    lines = data.decode(codec).replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff").split("\n")
    for line, row in zip(got.read().index, table[1:], strict=True):
        assert lines[line - 1].lstrip('"').startswith(row[0])


EVERY_WAY = {
    "table": tables(),
    "delimiter": st.sampled_from([",", ";", "\t", "|"]),
    "end": st.sampled_from(["\n", "\r\n"]),
    "codec": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
}


@quick
@given(**EVERY_WAY)
def test_any_table_comes_back_cell_for_cell(tmp_path, table, delimiter, end, codec, quoting):
    check_round_trip(tmp_path, table, delimiter, end, codec, quoting)


@pytest.mark.torture
@long
@given(**EVERY_WAY)
def test_any_table_comes_back_cell_for_cell_at_length(tmp_path, table, delimiter, end, codec, quoting):
    check_round_trip(tmp_path, table, delimiter, end, codec, quoting)


def check_any_bytes(folder, data):
    try:
        table = opened(folder, data)
        first = table.read()
    except FieldFileError:
        return
    assert first.index.is_unique
    assert first.index.is_monotonic_increasing
    again = table.read()
    pd.testing.assert_frame_equal(first, again)


TABLE_LIKE = st.lists(
    st.sampled_from([b",", b";", b"\n", b"\r", b'"', b"a", b"1", b"\x00", b"\xe9", b" ", b"\t", b"=", b"'"]),
    max_size=60,
).map(b"".join)
ANY_BYTES = st.one_of(
    st.binary(max_size=200), TABLE_LIKE, TABLE_LIKE.map(lambda data: b"site,date,NO3\n" + data)
)


@quick
@given(data=ANY_BYTES)
def test_any_bytes_are_a_table_or_a_sentence(tmp_path, data):
    check_any_bytes(tmp_path, data)


@pytest.mark.torture
@long
@given(data=ANY_BYTES)
def test_any_bytes_are_a_table_or_a_sentence_at_length(tmp_path, data):
    check_any_bytes(tmp_path, data)


def check_both_readers(folder, data):
    """Arrow's reader and Python's give the same cells."""
    assume(data.strip())
    try:
        table = opened(folder, b"site,date,NO3\nA,2026-01-01,5\n" + data)
        fast = table.read()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(raw_table, "_fast", lambda *_: None)
            slow = table.read()
    except FieldFileError:
        return
    pd.testing.assert_frame_equal(fast, slow)
    assert fast.attrs == slow.attrs


@quick
@given(data=TABLE_LIKE)
def test_the_fast_reader_and_the_careful_one_agree(tmp_path, data):
    check_both_readers(tmp_path, data)


@pytest.mark.torture
@long
@given(data=TABLE_LIKE)
def test_the_fast_reader_and_the_careful_one_agree_at_length(tmp_path, data):
    check_both_readers(tmp_path, data)


# --- the samples ----------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.exists(), reason=NO_SAMPLES)
@pytest.mark.parametrize(
    ("name", "header", "count", "width"),
    [
        ("crowd/kobo_labels_en_hxl.csv", 1, 3, 26),
        ("crowd/ushahidi_export_hxl.csv", 1, 3, 18),
        ("crowd/excel_resaved_us_bom_SYNTHETIC.csv", 1, 5, 7),
        ("crowd/wpdx_basic_socrata.csv", 1, 2, 30),
        ("crowd/sensors_africa_archive_long.csv", 1, 2, 8),
        ("groundwater/usgs_inl_samples_subset.csv", 1, 35_678, 12),
        ("groundwater/usgs_inl_sites.csv", 1, 533, 15),
        ("groundwater/kenya_kwale_water_samples.csv", 1, 157, 80),
        ("groundwater/usgs_samples_fullphyschem.csv", 1, 67, 181),
        ("groundwater/wadi_mixed_data.xlsx", 1, 14, 7),
        ("groundwater/wadi_messy_data.xlsx", 3, 30, 32),
    ],
)
def test_every_row_of_the_samples_comes_out(name, header, count, width):
    table = open_table(SAMPLES / name, LIMITS)
    got = table.read()
    assert (table.header_row, got.shape) == (header, (count, width))
    assert got.attrs["surplus"] == {}


@pytest.mark.skipif(not SAMPLES.exists(), reason=NO_SAMPLES)
def test_a_laboratory_sheet_with_its_header_in_three_rows_is_read():
    table = open_table(SAMPLES / "groundwater" / "wadi_messy_data.xlsx", LIMITS)
    assert table.columns[1:7] == [
        "Sampling Date",
        "LocationID",
        "SampleID",
        "Phosphate",
        "Phosphate (2)",
        "Nitraat",
    ]
    assert [(row.line, row.kind, row.cells[5]) for row in table.second_rows] == [(4, "units", "mg-P/l")]

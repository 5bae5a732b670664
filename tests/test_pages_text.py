"""What the pages say, and how they show what strangers wrote: no page is opened here."""

import io
import re
import string

import openpyxl
import pandas as pd
import pytest

from situation.errors import DataFileError
from situation.help_file import RIGHT, ROW, WRONG, help_csv, help_xlsx, rows_to_help
from situation.messages import (
    FOLDER,
    catalogue,
    known_language,
    languages,
    message,
    page_language,
    right_to_left,
    written_languages,
)
from situation.table_file import csv_bytes, xlsx_bytes
from situation.template import template_columns, template_csv, template_xlsx
from situation.topic import topics
from ui.operator_key import FREE_TRIES, Throttle
from ui.plain import bare, plain, verbatim

CODES = sorted(path.stem for path in FOLDER.glob("*.toml"))
FOR_EVERYBODY = ("language.", "upload.", "receipt.", "undo.", "template.", "role.", "about.", "review.")
HOSTILE = [
    "[x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}}",
    "${7*7}",
    ":material/home:",
    ":smile:",
    ":red[blood]",
    "$x^2$",
    "**bold** _it_ ~~no~~ # head",
    "www.example.com",
    "https://example.com/x",
    "me@example.com",
    "`tick` ``two``",
    "a\n\n# heading\n- list",
    "\u202egnp.exe",
    "![x](https://example.com/pixel.png)",
    "| a | b |",
    "\\[x\\](y)",
]


def holes(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_has_the_holes_of_the_english_one(code):
    english = catalogue("en")
    said = {key: key.removeprefix("said.") for key in catalogue(code) if key.startswith("said.")}
    wrong = [
        key for key, text in catalogue(code).items() if holes(text) != holes((english | said).get(key, ""))
    ]
    assert wrong == []


@pytest.mark.parametrize("code", languages())
def test_the_pages_for_everybody_are_complete_in_every_language(code):
    wanted = [key for key in catalogue("en") if key.startswith(FOR_EVERYBODY)]
    assert [key for key in wanted if key not in catalogue(code)] == []


@pytest.mark.parametrize("code", CODES)
def test_no_language_has_html_or_links(code):
    assert [text for text in catalogue(code).values() if re.search(r"<[a-z/]|\]\(", text)] == []


def test_every_sentence_that_the_pages_ask_for_exists():
    root = FOLDER.parent.parent
    asked = set()
    for path in [*root.glob("ui/*.py"), *root.glob("views/*.py"), *root.glob("situation/template.py")]:
        asked |= set(
            re.findall(r'"((?:upload|receipt|undo|template|review|about)\.[a-z_]+)"', path.read_text("utf-8"))
        )
    asked = {key for key in asked if not key.endswith(".py")}
    assert len(asked) > 100
    assert sorted(asked - set(catalogue("en"))) == []


def test_english_comes_first_and_each_language_bears_its_own_name():
    assert list(languages())[0] == "en"
    assert languages()["fr"] == "Français"
    assert list(written_languages())[0] == "en"
    assert written_languages()["ar"] == "العربية"


def test_a_language_of_pictures_and_files_only_is_not_offered_by_the_pages():
    assert {"ar", "hi"} <= set(written_languages()) - set(languages())
    assert (known_language("ar"), page_language("ar"), page_language("fr")) == ("ar", "en", "fr")
    assert (right_to_left("ar"), right_to_left("hi")) == (True, False)
    assert message("upload.title", "ar") == message("upload.title")


def test_an_unknown_language_is_english_and_an_unknown_sentence_an_error():
    assert known_language("xx") == "en"
    assert not right_to_left("en")
    with pytest.raises(DataFileError, match="no.such"):
        message("no.such")
    with pytest.raises(DataFileError, match="cannot be filled in"):
        message("upload.limits", "fr")
    with pytest.raises(DataFileError, match="data/messages has"):
        catalogue("../en")


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_leaves_no_sign_that_markdown_reads(text):
    said = plain(text)
    assert "\n" not in said
    assert not re.search(r"(?<!\\)[\[\]()<>`*_~#$|!{}]", said.replace("\\\\", ""))
    # Read as Markdown would, it is the text again.
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", said).replace("\u2060", "") == bare(text)
    assert not re.search(r":[a-z/_]+:|www\.|://|\w@\w", re.sub(r"\\(.)", r"\1", said))


@pytest.mark.parametrize("text", HOSTILE)
def test_verbatim_is_one_code_span(text):
    said = verbatim(text)
    fence = re.match(r"`+", said).group()
    assert said.endswith(fence)
    assert fence not in re.split(r"(?<!`)" + fence + r"(?!`)", said)[1].strip("`")
    assert "\n" not in said


def test_long_text_is_cut():
    assert len(bare("x" * 10_000)) == 300


CELLS = pd.DataFrame(
    {
        "source_row": [7, 4, 4],
        "column": ["pH", "Nitrate", "date"],
        "value": ["=1+1", "abc", "soon"],
        "reason": ["not a number", "not a number", "not a date"],
        "fix": ["7.2", "12.5", "2026-03-04"],
        "question_id": [None, None, None],
        "Well": ["=cmd|' /C calc'!A0", "Well D", "Well D"],
        "pH": ["=1+1", "-5", "-5"],
    }
)


def test_rows_that_need_help_come_once_each_in_the_order_of_the_file():
    rows = rows_to_help(CELLS)
    assert list(rows.columns) == ["Well", "pH", ROW, WRONG, RIGHT]
    assert rows[ROW].tolist() == [4, 7]
    assert rows[WRONG][0] == "Nitrate: not a number; date: not a date"


def test_no_cell_of_the_files_to_correct_is_a_formula():
    rows = rows_to_help(CELLS)
    text = help_csv(rows).decode("utf-8-sig")
    assert "'=cmd" in text
    assert "'=1+1" in text
    assert ",-5," in text
    sheet = openpyxl.load_workbook(io.BytesIO(help_xlsx(rows))).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_a_heading_is_made_safe_too_and_may_repeat():
    table = pd.DataFrame([["a", 1.5]]).set_axis(["=x", "=x"], axis="columns")
    assert csv_bytes(table).decode("utf-8-sig").splitlines()[0] == "'=x,'=x"


def test_a_workbook_takes_control_characters_and_missing_cells():
    book = xlsx_bytes({"a": pd.DataFrame({"t": ["\x00\x0b", None], "n": [1.5, float("nan")], "z": 1})})
    values = list(openpyxl.load_workbook(io.BytesIO(book)).active.values)
    assert values[1][1] == 1.5
    assert values[2] == (None, None, 1)


def test_nobody_needs_help_gives_an_empty_file():
    assert len(rows_to_help(CELLS.iloc[:0])) == 0


@pytest.mark.parametrize("topic", sorted(topics()))
@pytest.mark.parametrize("language", languages())
def test_the_template_names_every_property_and_explains_every_column(topic, language):
    topic = topics()[topic]
    columns = list(template_columns(topic))
    assert template_csv(topic).decode("utf-8-sig").strip().count(",") == len(columns) - 1
    book = openpyxl.load_workbook(io.BytesIO(template_xlsx(topic, language)))
    first, second = book.worksheets
    assert [cell.value for cell in first[1]] == columns
    assert first.max_row == 1
    assert [row[0] for row in second.iter_rows(min_row=2, values_only=True)] == columns
    assert all(row[1] for row in second.iter_rows(values_only=True))


def test_wrong_keys_are_slowed_down_by_address_and_forgotten_after_the_right_one():
    now = [0.0]
    throttle = Throttle(clock=lambda: now[0])
    for _ in range(FREE_TRIES):
        assert throttle.wait_s("a") == 0
        throttle.wrong("a")
    assert throttle.wait_s("a") == 30
    assert throttle.wait_s("b") == 0
    now[0] = 31
    assert throttle.wait_s("a") == 0
    throttle.wrong("a")
    assert throttle.wait_s("a") == 60
    throttle.right("a")
    assert throttle.wait_s("a") == 0


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_sign_is_said_in_the_language_of_the_page(code):
    from layers import available
    from situation.messages import translated
    from situation.status import LABELS

    signs = [sign.label for layer in available().values() if layer.kind == "marks" for sign in layer.signs]
    assert [text for text in (*LABELS, *signs, "stale", "current") if translated(text, code) == text] == []


@pytest.mark.parametrize("code", [code for code in written_languages() if code != "en"])
def test_every_status_is_said_in_the_language_of_the_picture(code):
    from situation.messages import translated
    from situation.status import LABELS

    assert [text for text in (*LABELS, "stale", "current") if translated(text, code) == text] == []


@pytest.mark.parametrize("code", written_languages())
def test_what_leaves_is_said_whole_in_every_language_that_it_can_be_written_in(code):
    said = catalogue(code)
    wanted = [key for key in catalogue("en") if key.startswith(("publish.", "words."))]
    if said.get("language.scope") == "publish":
        wanted = [key for key in wanted if not key.startswith("publish.page.")]
    if not said["language.singular"]:  # its sentences hold for one and for many
        wanted = [key for key in wanted if not key.endswith("_one")]
    assert [key for key in wanted if key not in said] == []

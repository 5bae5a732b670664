"""The upload page, state by state, without a browser; the reader and the store are the real ones."""

import json
import re
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import store
from sensors import field_file
from situation.settings import settings

ROOT = Path(__file__).resolve().parent.parent
MENU = ROOT / "views" / "menu.py"
HEADER = "site_name,site_type,latitude,longitude,date,Nitrate (mg/L as NO3),collector\n"
GOOD = (
    HEADER
    + """North well,well,42.951,-120.051,2026-03-04,12.5,Ada Lovelace
South well,well,42.962,-120.062,2026-03-04,<0.5,Ada Lovelace
"""
)
MIXED = GOOD + "East well,well,42.970,-120.070,2026-03-04,abc,Ada Lovelace\n"
UNSURE = GOOD.replace("(mg/L as NO3)", "(mg/L)")
HOSTILE_NAMES = [
    "[x](javascript:alert(1))",
    "<script>alert(1)</script>",
    "{{7*7}}",
    ":material/home: :smile:",
    "$x^2$",
    "![x](https://example.com/p.png)",
]


@pytest.fixture(autouse=True)
def _read_in_this_process(monkeypatch):
    """Spare each test a child process; that one guards the reading is tested elsewhere."""

    def here(function, args, *, progress=None, **_):
        module, name = function.split(":")
        return getattr(import_module(module), name)(**args, progress=progress)

    monkeypatch.setattr(field_file, "run_guarded", here)


@pytest.fixture
def app():
    return opened()


def opened(**address):
    app = AppTest.from_file(MENU, default_timeout=60)
    app.switch_page("upload.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def drop(app, text, name="readings.csv", extra=()):
    body = text if isinstance(text, bytes) else text.encode()
    files = [(name, body, "text/csv"), *extra]
    return app.file_uploader[0].set_value(files).run()


def press(app, key):
    return next(button for button in app.button if button.key == key).click().run()


def numbers(app):
    return {metric.label: metric.value for metric in app.metric}


def steps(app):
    return [heading.value for heading in app.subheader]


def texts(app):
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "title", "subheader")
    said = [element.value for kind in kinds for element in getattr(app, kind)]
    said += [
        widget.label
        for kind in ("button", "radio", "text_input", "expander", "tabs")
        for widget in getattr(app, kind)
    ]
    said += [option for radio in app.radio for option in [*radio.options, *radio.proto.captions]]
    return said


def tables(app):
    return [frame.value for frame in app.dataframe]


def ledger():
    return store.shared(settings().real_store_url).history()


def stored_files():
    return [path for path in (settings().var / "store").rglob("*") if path.is_file()]


def sent(app, text=GOOD):
    drop(app, text)
    return press(app, "send")


def test_without_a_file_the_page_asks_for_one_and_offers_templates(app):
    assert not app.exception
    assert app.title[0].value == "Add readings"
    assert steps(app) == ["1 · Choose your file"]
    assert [button.label for button in app.download_button] == [
        "Template (XLSX, with explanations)",
        "Template (CSV)",
    ]
    assert "send" not in [button.key for button in app.button]


def test_a_good_file_is_understood_and_its_rows_add_up(app):
    drop(app, GOOD)
    assert not app.exception
    assert not app.error
    assert numbers(app) == {
        "Rows in your file": "2",
        "= readable": "2",
        "+ waiting for you": "0",
        "+ need help": "0",
    }
    columns = tables(app)[0]
    assert columns.set_index("Your column").loc["Nitrate (mg/L as NO3)", "Counted as"] == "as NO3"
    assert any("collector" in text and "Left out" in text for text in texts(app))
    assert "Ada Lovelace" not in json.dumps([frame.to_json() for frame in tables(app)])
    assert app.get("component_instance"), "the preview map is drawn"


def test_rows_that_need_help_stand_with_row_reason_and_what_is_right(app):
    drop(app, MIXED)
    assert numbers(app)["+ need help"] == "1"
    assert "Rows that need help" in steps(app)
    help_ = tables(app)[-1]
    assert not any("wait for your answers" in text for text in texts(app))
    assert help_["Row"].tolist() == [4]
    assert help_["In your file"].tolist() == ["abc"]
    assert help_["What is wrong"].str.len().gt(5).all()
    assert help_["What would be right"].str.len().gt(2).all()
    labels = [button.label for button in app.download_button]
    assert "Rows to correct (CSV)" in labels
    assert "Rows to correct (XLSX)" in labels


def test_a_question_says_why_and_an_answer_reads_the_file_again(app):
    drop(app, UNSURE)
    assert "3 · Questions" in steps(app)
    radio = app.radio[0]
    assert "I don't know yet" in radio.options
    assert any("Why it matters" in text for text in texts(app))
    choice = next(option for option in radio.options if "NO3" in option.replace("\\", ""))
    radio.set_value(next(value for value in _values(app) if "NO3" in value) if choice else None).run()
    press(app, "answer")
    assert not app.exception
    assert not app.radio
    assert numbers(app)["= readable"] == "2"
    assert any("as NO3" in table.to_string() for table in tables(app))


def _values(app):
    upload = app.session_state["upload"]
    return [choice["value"] for choice in upload.reading.questions[0]["choices"]]


def test_i_dont_know_leaves_the_question_open_and_guesses_nothing(app):
    drop(app, UNSURE)
    before = numbers(app)
    app.radio[0].set_value("__unsure__").run()
    press(app, "answer")
    assert not app.exception
    assert not app.radio
    assert numbers(app) == before
    assert any("Left open" in text for text in texts(app))
    again = next(button for button in app.button if (button.key or "").startswith("again-"))
    again.click().run()
    assert app.radio


def test_practice_says_so_all_the_time_and_stores_nothing(app):
    app.toggle[0].set_value(True).run()
    drop(app, MIXED)
    assert "Practice" in app.warning[0].value
    assert numbers(app)["= readable"] == "2"
    assert "send" not in [button.key for button in app.button]
    assert "draft" not in app.query_params
    assert "practising" in app.success[0].value
    assert stored_files() == []


def test_sending_gives_a_receipt_with_number_token_and_link(app):
    sent(app)
    assert not app.exception
    [batch] = ledger()
    assert batch.state == "pending"
    assert f"batch **{batch.batch}**" in app.success[0].value
    assert numbers(app)["New readings"] == "2"
    assert len(app.code[0].value) >= 16
    link = app.get("page_link")[0].proto
    assert f"batch={batch.batch}" in link.query_string
    assert "token=" in link.query_string
    assert "draft" not in app.query_params


def test_the_receipt_undoes_in_one_click(app):
    press(sent(app), "undo_now")
    assert "taken back" in app.success[0].value
    assert ledger()[0].state == "withdrawn"
    assert not app.code


def test_an_earlier_upload_is_undone_with_number_and_token_and_not_without(app):
    sent(app)
    token, number = app.code[0].value, ledger()[0].batch
    other = opened(undo=str(number), undo_token="a-wrong-token")
    assert "undo_token" not in other.query_params
    assert other.text_input[0].value == str(number)
    _undo(other)
    assert other.error[0].value
    assert ledger()[0].state == "pending"
    other.text_input[1].set_value(token)
    _undo(other)
    assert "taken back" in other.success[0].value
    assert ledger()[0].state == "withdrawn"


def _undo(app):
    next(button for button in app.button if button.label == "Undo the upload").click().run()


@pytest.mark.parametrize(("batch", "token"), [("", "x"), ("1", ""), ("one", "x"), ("-1", "x"), ("99", "x")])
def test_an_incomplete_or_unknown_undo_is_a_sentence(app, batch, token):
    app.text_input[0].set_value(batch)
    app.text_input[1].set_value(token)
    _undo(app)
    assert not app.exception
    assert len(app.error[0].value) > 20


def test_the_same_file_again_adds_nothing_and_says_which_batch_has_it(app):
    sent(app)
    other = sent(opened())
    assert "already" in other.info[0].value
    assert len(ledger()) == 1


def test_a_draft_comes_back_by_its_link_with_the_answers(app):
    drop(app, UNSURE)
    app.radio[0].set_value("__unsure__").run()
    press(app, "answer")
    [draft] = (
        app.query_params["draft"]
        if isinstance(app.query_params["draft"], list)
        else [app.query_params["draft"]]
    )
    other = opened(draft=draft)
    assert not other.exception
    assert numbers(other)["Rows in your file"] == "2"
    assert any("Left open" in text for text in texts(other))
    press(other, "drop_draft")
    gone = opened(draft=draft)
    assert "no draft" in gone.info[0].value


@pytest.mark.parametrize("draft", ["../../etc/passwd", "x", "A" * 24, "<script>"])
def test_a_draft_that_is_not_there_is_a_sentence(draft):
    app = opened(draft=draft)
    assert not app.exception
    assert "no draft" in app.info[0].value


def test_a_draft_can_be_deleted(app):
    drop(app, GOOD)
    press(app, "drop_draft")
    assert steps(app) == ["1 · Choose your file"]
    assert "draft" not in app.query_params


def test_taking_the_file_out_starts_afresh(app):
    drop(app, GOOD)
    app.file_uploader[0].set_value(None).run()
    assert steps(app) == ["1 · Choose your file"]


def test_a_file_over_the_limit_is_a_sentence(monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_MAX_UPLOAD_MB", "1")
    app = opened()
    drop(app, b"a,b\n" + b"1,2\n" * 300_000)
    assert not app.exception
    assert "takes 1 MB" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    "body", [b"", b"\x00\x01\x02" * 100, b"name\nonly one column\n", b"PK\x03\x04nonsense"]
)
def test_a_file_that_cannot_be_read_is_a_sentence_and_nothing_is_stored(app, body):
    drop(app, body)
    assert not app.exception
    assert "send" not in [button.key for button in app.button]
    assert ledger() == []


@pytest.mark.parametrize(("language", "title"), [("fr", "Ajouter des mesures"), ("es", "Añadir mediciones")])
def test_the_page_speaks_the_language_of_the_address(language, title):
    app = opened(lang=language)
    assert app.title[0].value == title
    drop(app, MIXED)
    assert not app.exception
    english = re.compile(r"\b(the|your|rows|readings)\b", re.IGNORECASE)
    own = [text for text in texts(app) if text in [*_ours()]]
    assert [text for text in own if english.search(text)] == []


def _ours():
    from situation.messages import catalogue

    return catalogue("en").values()


def test_choosing_a_language_goes_into_the_address(app):
    app.selectbox(key="language_choice").set_value("fr").run()
    assert app.title[0].value == "Ajouter des mesures"
    assert "fr" in app.query_params["lang"]


def test_hostile_names_are_shown_and_never_read(app):
    cells = ['"' + name.replace('"', '""') + '"' for name in HOSTILE_NAMES]
    text = f"site_name,latitude,longitude,date,Nitrate (mg/L as NO3),{','.join(cells)}\n"
    for cell in cells:
        text += f"{cell},42.95,-120.05,2026-03-04,12.5,{','.join(cells)}\n"
        text += f"{cell},42.95,-120.05,{cell},{cell},{','.join(cells)}\n"
    drop(app, text, name="<script>alert(1)<script>.csv")
    assert not app.exception
    assert numbers(app)["Rows in your file"] == str(2 * len(cells))
    outside_code = [re.sub(r"(`+).+?\1", "", text) for text in texts(app)]
    assert [text for text in outside_code for name in HOSTILE_NAMES if name in text] == []
    assert not any(name in html.proto.body for html in app.get("html") for name in HOSTILE_NAMES)
    script = json.dumps([part.proto.json_args for part in app.get("component_instance")])
    assert not re.search(r"<script>alert|\{\{7", script)


def test_a_site_table_may_come_along(app):
    readings = "site_id,date,Nitrate (mg/L as NO3)\nW1,2026-03-04,12.5\nW2,2026-03-04,3\n"
    sites = "site_id,site_name,latitude,longitude\nW1,North,42.95,-120.05\nW2,South,42.96,-120.06\n"
    drop(app, readings, extra=[("sites.csv", sites.encode(), "text/csv")])
    assert not app.exception
    assert numbers(app)["= readable"] == "2"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("topic", ["groundwater", "air"])
def test_the_template_filled_in_is_read_without_a_question(app, tmp_path, topic, kind):
    import io

    import openpyxl

    from sensors import intake
    from situation.template import template_columns, template_csv, template_xlsx
    from situation.topic import topics

    chosen = topics()[topic]
    west, south, east, north = chosen.shown(simulated=True).area
    example = template_columns(chosen) | {
        "latitude": str((south + north) / 2),
        "longitude": str((west + east) / 2),
    }
    path = tmp_path / f"filled.{kind}"
    if kind == "csv":
        line = ",".join(example.values())
        path.write_bytes(template_csv(chosen) + f"{line}\n".encode())
    else:
        book = openpyxl.load_workbook(io.BytesIO(template_xlsx(chosen)))
        book.worksheets[0].append(list(example.values()))
        book.save(path)
    with intake.check([path], topic=chosen) as checked:
        assert checked.questions == []
        assert checked.report.rows_observed == 1
        table = pd.read_parquet(checked.folder / "observations.parquet")
    assert set(table["observed_property"]) == set(chosen.properties)
    assert table["unit"].notna().all()

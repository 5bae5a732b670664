"""The review page: only with the operator's key, and then everything that came in can be decided."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import store
from sensors import field_file, intake
from situation.errors import ChoiceError
from situation.settings import settings
from situation.topic import topics
from ui import operator_key

MENU = Path(__file__).resolve().parent.parent / "views" / "menu.py"
KEY = "a long secret of the operator"
FILE = """site_name,site_type,latitude,longitude,date,Nitrate (mg/L as NO3)
North well,well,42.951,-120.051,2026-03-04,12.5
Kitchen of Ada,household well,42.962,-120.062,2026-03-04,55
East well,well,42.970,-120.070,2026-03-04,abc
"""


@pytest.fixture(autouse=True)
def _fresh_throttle(monkeypatch):
    monkeypatch.setattr(operator_key, "THROTTLE", operator_key.Throttle())


@pytest.fixture(autouse=True)
def _read_in_this_process(monkeypatch):
    """Spare each test a child process; that one guards the reading is tested elsewhere."""

    def here(function, args, *, progress=None, **_):
        module, name = function.split(":")
        return getattr(import_module(module), name)(**args, progress=progress)

    monkeypatch.setattr(field_file, "run_guarded", here)


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_OPERATOR_KEY", KEY)


@pytest.fixture
def home():
    return store.shared(settings().real_store_url)


def handed_in(home, tmp_path, text=FILE, name="readings.csv", contributor="heron"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with intake.check([path], topic=topics()["groundwater"], contributor=contributor, store=home) as checked:
        return intake.submit(home, checked, contributor=contributor)


def opened():
    app = AppTest.from_file(MENU, default_timeout=60)
    app.switch_page("review.py")
    return app.run()


def entered(key=KEY):
    app = opened()
    app.text_input[0].set_value(key)
    return app.button[0].click().run()


def press(app, key):
    return next(button for button in app.button if button.key == key).click().run()


def test_without_a_key_set_the_page_explains_how_to_set_one():
    app = opened()
    assert not app.exception
    assert "No operator key is set" in app.info[0].value
    assert "COMMONSIGHT_OPERATOR_KEY" in app.markdown[0].value
    assert not app.text_input


@pytest.mark.usefixtures("key")
def test_a_wrong_key_opens_nothing(home, tmp_path):
    handed_in(home, tmp_path)
    app = entered("another")
    assert "not the operator key" in app.error[0].value
    assert not app.dataframe
    assert "readings.csv" not in json.dumps([box.options for box in app.selectbox])


@pytest.mark.usefixtures("key")
def test_many_wrong_keys_make_even_the_right_one_wait():
    for _ in range(operator_key.FREE_TRIES):
        entered("another")
    app = entered()
    assert "Too many wrong keys" in app.error[0].value
    assert "accept" not in [button.key for button in app.button]


@pytest.mark.usefixtures("key")
def test_a_changed_key_closes_the_review(monkeypatch):
    app = entered()
    assert not app.text_input or app.text_input[0].label != "Operator key"
    monkeypatch.setenv("COMMONSIGHT_OPERATOR_KEY", "a new one")
    app.run()
    assert app.text_input[0].label == "Operator key"


@pytest.mark.usefixtures("key")
def test_the_key_itself_is_not_kept_in_the_session():
    app = entered()
    assert isinstance(app.session_state["operator"], bytes)
    assert KEY.encode() not in app.session_state["operator"]
    assert KEY not in repr(app)


@pytest.mark.usefixtures("key")
def test_an_empty_queue_says_so():
    app = entered()
    assert not app.exception
    assert "Nothing waits" in app.success[0].value


@pytest.mark.usefixtures("key")
def test_a_batch_is_shown_with_counts_readings_and_cells_that_need_help(home, tmp_path):
    handed_in(home, tmp_path)
    app = entered()
    assert not app.exception
    assert "readings.csv" in app.selectbox[0].options[0]
    assert {metric.label: metric.value for metric in app.metric}["Readings"] == "2"
    shown = [frame.value for frame in app.dataframe]
    assert shown[1]["In your file"].tolist() == ["abc"]
    assert "heron" in app.markdown[1].value
    assert app.get("component_instance")


@pytest.mark.usefixtures("key")
def test_operators_see_private_places_blurred_too(home, tmp_path):
    handed_in(home, tmp_path)
    app = entered()
    everything = json.dumps([frame.value.to_json(default_handler=str) for frame in app.dataframe])
    everything += json.dumps([part.proto.json_args for part in app.get("component_instance")])
    assert "42.962" not in everything
    assert "Kitchen of Ada" not in app.dataframe[0].value.to_string()


@pytest.mark.usefixtures("key")
def test_accepting_puts_the_batch_on_the_map_and_into_the_ledger(home, tmp_path):
    receipt = handed_in(home, tmp_path)
    app = press(entered(), "accept")
    assert not app.exception
    assert "accepted" in app.success[0].value
    assert home.batch(receipt.batch).state == "accepted"


@pytest.mark.usefixtures("key")
def test_withdrawing_needs_a_reason(home, tmp_path):
    receipt = handed_in(home, tmp_path)
    app = press(entered(), "withdraw")
    assert "reason" in app.error[0].value
    assert home.batch(receipt.batch).state == "pending"
    next(field for field in app.text_input if field.key == f"reason-{receipt.batch}").set_value("made up")
    press(app, "withdraw")
    assert "withdrawn" in app.success[0].value
    assert home.batch(receipt.batch).state == "withdrawn"


@pytest.mark.usefixtures("key")
def test_leaving_closes_the_review(home, tmp_path):
    handed_in(home, tmp_path)
    app = entered()
    next(button for button in app.button if button.label == "Close the review").click().run()
    assert app.text_input[0].label == "Operator key"
    assert not app.dataframe


@pytest.mark.usefixtures("key")
def test_like_names_close_together_are_proposed_linked_and_parted_again(home, tmp_path):
    twice = FILE + "north-well,well,42.9511,-120.0511,2026-03-05,13\n"
    handed_in(home, tmp_path, twice)
    app = entered()
    app.toggle[0].set_value(True).run()
    link = next(button for button in app.button if (button.key or "").startswith("link-"))
    link.click().run()
    assert not app.exception
    assert len(home.site_links()) == 1
    next(button for button in app.button if (button.key or "").startswith("unlink-")).click().run()
    assert home.site_links() == {}


@pytest.mark.usefixtures("key")
def test_hostile_names_are_shown_and_never_read(home, tmp_path):
    names = ["[x](javascript:alert(1))", "<script>1</script>", ":material/home:", "{{7*7}}"]
    lines = [
        f"{name},well,42.95,-120.05,2026-03-04,12\n{name},well,42.95,-120.05,{name},{name}\n"
        for name in names
    ]
    with pytest.raises(ChoiceError):  # a hostile name for oneself does not even get in
        handed_in(home, tmp_path, FILE + "".join(lines), contributor=names[0])
    handed_in(home, tmp_path, FILE + "".join(lines))
    app = entered()
    assert not app.exception
    said = [element.value for kind in ("markdown", "caption", "subheader") for element in getattr(app, kind)]
    said += [button.label for button in app.button]
    assert [text for text in said for name in names if name in text.replace(f"`{name}`", "")] == []

"""The about page: every topic explained, every limit with its reference."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from situation.standard import standards
from situation.status import STATUSES, STYLE
from situation.topic import topics

MENU = Path(__file__).resolve().parent.parent / "views" / "menu.py"


def opened(**address):
    app = AppTest.from_file(MENU, default_timeout=60)
    app.switch_page("about.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize("topic", sorted(topics()))
@pytest.mark.parametrize("language", ["en", "fr", "es"])
def test_the_page_opens_for_every_topic_and_language(topic, language):
    app = opened(topic=topic, lang=language)
    assert not app.exception
    assert app.title[0].value
    assert any(topics()[topic].about[:40] in text.value for text in app.markdown)


def test_every_status_is_explained_with_its_colour_and_shape():
    legend = next(html.proto.body for html in opened().get("html") if "<img" in html.proto.body)
    assert legend.count("<img") == len(STATUSES)
    from base64 import b64decode

    drawings = [b64decode(part.split('"')[0]).decode() for part in legend.split("base64,")[1:]]
    for style in STYLE.values():
        assert any(style.colour in drawing for drawing in drawings)
    assert len(set(drawings)) == len(STATUSES)


@pytest.mark.parametrize("topic", sorted(topics()))
def test_every_limit_is_listed_with_reference_link_and_whether_it_was_verified(topic):
    app = opened(topic=topic)
    chosen = topics()[topic]
    assert len(app.dataframe) == len(chosen.standards)
    for key, frame in zip(chosen.standards, app.dataframe, strict=True):
        table = frame.value
        limits = standards()[key].limits
        assert len(table) == limits["property"].isin(chosen.properties).sum()
        assert table["Where it stands"].str.len().gt(0).all()
        assert table["Source"].str.startswith("https://").all()
        assert table["Verified"].isin([True, False]).all()
        assert not table["Unit"].str.contains(r"[\[\]{}]").any()
        assert table["Limit"].str.len().gt(0).all()


def test_privacy_names_the_kinds_of_sites_that_are_blurred():
    said = " ".join(text.value for text in opened(topic="groundwater").markdown)
    assert "household well" in said
    assert "Unknown is not safe" in said


def test_the_demonstration_says_that_it_is_simulated(store_with_demo):
    app = opened(topic="groundwater")
    assert "Simulated" in app.warning[0].value
    assert str(store_with_demo.version()) in " ".join(text.value for text in app.markdown)

"""The snapshot page: what is chosen is what is frozen, kept and cited, and everything missing is named."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from matplotlib.image import imsave
from streamlit.testing.v1 import AppTest

import publish
import store
from layers import frozen
from layers import picture as pictures
from layers.picture import picture
from publish import FORMATS, Options
from situation.settings import settings
from situation.view import View
from tests.some_wells import LAT, LON, NASTY, NOW, WELLS, put, readings
from tests.test_pages_map import MENU, texts
from ui import snapshot_parts

PAGE = "snapshot.py"
VIEW = View("groundwater", "nitrate", "who_drinking_water")


def dot() -> bytes:
    """Make the smallest picture there is."""
    file = io.BytesIO()
    imsave(file, [[[0.0, 0.0, 0.0]]], format="png")
    return file.getvalue()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    var = tmp_path_factory.mktemp("pages-snapshot")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(readings(), simulated=True)
        late = [("t:new", "New", "well", LON, LAT, 99.0, "2026-06-01")]
        pending = put(readings(late, contributor="eve"), accept=False, name="pending.csv")
    return var, pending


@pytest.fixture
def wells(home, monkeypatch):
    """Open the store that all share, and draw nothing: what is drawn has tests of its own."""
    monkeypatch.setenv("COMMONSIGHT_VAR", str(home[0]))
    monkeypatch.setenv("COMMONSIGHT_BASE_URL", "https://map.example.org")
    asked = []

    def made(shot, ending, options):
        asked.append((shot, ending, options))
        options.progress(0.5, "half [way](x)")
        return dot()

    monkeypatch.setattr(publish, "made", made)
    pictures.forget()
    return asked


def page(**address):
    app = AppTest.from_file(MENU, default_timeout=60).switch_page(PAGE)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def told(app) -> str:
    return " ".join(
        [texts(app), *(str(element.value) for element in [*app.subheader, *app.code, *app.success])]
    )


def button(app, label):
    return next(element for element in app.button if label in element.label)


def place():
    return store.shared(settings().active_store_url)


def test_the_page_draws_what_was_chosen_and_names_what_is_missing(wells):
    app = page(size="a4-portrait", look="print", written="fr", name="Nos puits")
    ((shot, ending, options),) = wells
    assert (ending, options.size, options.look) == ("png", "a4-portrait@100", "print")
    assert (shot.title, shot.language, len(shot.sites)) == ("Nos puits", "fr", len(WELLS))
    assert shot.view.as_of == place().version()
    (image,) = app.get("image")
    assert image.proto.imgs[0].alt == shot.said.text
    assert "Nitrate : au-dessus de la limite" in told(app)  # the words under the picture, to be copied
    assert "The readings are simulated." in told(app)  # the checklist speaks the language of the page
    assert "2 sites are shown as the middle of a square" in told(app)
    assert "producer of data/topics/groundwater/topic.toml" in told(app)
    assert {control.label for control in app.selectbox} >= {"Size", "Look", "Language of the picture"}


def test_the_language_of_the_picture_may_be_one_that_the_pages_do_not_speak(wells):
    app = page(written="ar", lang="fr")
    assert wells[0][0].language == "ar"
    assert "أعلى من الحد" in told(app)
    assert app.title[0].value == "Publier un instantané"


def test_a_hostile_title_is_text(wells):
    app = page(name=NASTY)
    assert wells[0][0].title == NASTY
    app = kept(app)
    assert NASTY in told(app).replace("\u2060", "")
    assert not [element for element in app.subheader if re.search(r"(?<!\\)<script", element.value)]


def test_choosing_writes_to_the_address(wells):
    app = page()
    next(box for box in app.selectbox if box.label == "Size").set_value("og")
    app.text_input(key="snapshot_name").set_value("  Wells of the north ").run()
    assert app.query_params["size"] == "og"
    assert app.query_params["name"] == "Wells of the north"
    assert wells[-1][0].title == "Wells of the north"
    assert wells[-1][2].size == "og"
    app.run()
    assert len(wells) == 2  # a second look at the same choice draws nothing anew


def test_only_what_the_map_showed_is_in_it_until_everything_is_asked_for(wells):
    app = page(bbox=f"{LON - 0.045},{LAT - 0.04},{LON + 0.1},{LAT + 0.04}")
    inside = wells[0][0].sites
    assert 0 < len(inside) < len(WELLS)
    assert set(inside["monitoring_location_id"]) <= set(picture(VIEW).sites["monitoring_location_id"])
    button(app, "Take everything").click().run()
    assert "bbox" not in app.query_params
    assert len(wells[-1][0].sites) == len(WELLS)


def kept(app, who="heron"):
    app.text_input(key="snapshot_who").set_value(who)
    button(app, "Keep this snapshot").click().run()
    assert not app.exception
    return app


def test_a_snapshot_is_kept_with_a_pseudonym_and_shows_how_to_link_and_cite_it(wells):
    app = kept(page(name="Kept by the tests"))
    name = app.query_params["snapshot"]
    record, sites = place().snapshot(name)
    assert (record["who"], record["title"], sites.num_rows) == ("heron", "Kept by the tests", len(WELLS))
    link = f"https://map.example.org/s/{name}"
    assert link in [element.value for element in app.code]
    assert sum(link in element.value for element in app.code) >= 3  # alone, in the citations
    assert f"snapshot **{name}**" in app.success[0].value
    assert wells[-1][0].id == name
    assert "Keep this snapshot" not in [element.label for element in app.button]


def test_a_kept_snapshot_opens_by_its_address_and_a_new_one_is_offered(wells):
    shot = frozen.keep(place(), frozen.freeze(place(), VIEW, NOW, title="From last year"), NOW, who="ana")
    app = page(snapshot=shot.id)
    assert "From last year" in told(app)
    assert "kept 2026-06-30 by ana" in told(app)
    button(app, "A new picture of the same choice").click().run()
    assert "snapshot" not in app.query_params
    assert wells[-1][0].id is None
    assert wells[-1][0].view.at != shot.view.at


def test_what_does_not_exist_in_the_address_is_told_or_falls_back_and_the_page_goes_on(wells):
    app = page(snapshot="../../etc/passwd", size="../x", look="neon", written="xx")
    assert "There is no snapshot" in app.warning[0].value.replace("\\", "")
    ((shot, _, options),) = wells
    assert (options.size, options.look, shot.language, shot.id) == ("850x600", "light", "en", None)


def test_the_gallery_lists_what_was_kept_with_its_version_counts_and_who(wells):
    frozen.keep(place(), frozen.freeze(place(), VIEW, NOW, title="In the gallery"), NOW, who="[x](y)")
    app = page()
    assert "In the gallery" not in told(app)  # opening each takes a moment: only for whoever looks
    app.session_state["snapshot_tabs"] = "Earlier snapshots"
    app.run()
    said = told(app).replace("\u2060", "")
    assert "In the gallery" in said
    assert "3 of 8 sites above the limit" in said
    assert "kept 2026-06-30 by [x](y)" in said
    assert {options.size for _, _, options in wells} >= {"og@40"}


def test_a_read_only_installation_keeps_nothing_and_says_so(wells, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_READ_ONLY", "1")
    app = page()
    assert "this installation is read-only" in told(app)
    assert "Keep this snapshot" not in [element.label for element in app.button]


def test_no_more_than_so_many_are_kept_in_a_day(wells, monkeypatch):
    before = len(place().published())
    monkeypatch.setattr(snapshot_parts, "MOST_A_DAY", 0)
    app = kept(page(name="One too many"))
    assert "that is the most for one day" in told(app)
    assert len(place().published()) == before


def test_readings_that_nobody_accepted_can_be_looked_at_by_their_link_and_not_kept(wells, home):
    receipt = home[1]
    app = page(batch=str(receipt.batch), token=receipt.view_token, review="all")
    assert wells[0][0].unaccepted
    assert "can be looked at but not kept" in told(app)
    assert "Keep this snapshot" not in [element.label for element in app.button]


def test_a_picture_without_sites_says_that_it_is_empty_and_is_not_kept(wells):
    app = page(property="arsenic")
    assert "There is no site in this picture." in told(app)
    assert "nothing to keep" in told(app)


def test_every_format_is_offered_and_none_is_made_before_it_is_asked_for(wells):
    app = page()
    offered = {element.proto.id.rsplit("get_", 1)[-1] for element in app.get("download_button")}
    assert offered == set(FORMATS)
    ((shot, ending, _),) = wells
    assert ending == "png"  # the preview
    assert not snapshot_parts.takes_long(shot, "zip", Options())
    many = replace(shot, sites=shot.sites.assign(n=snapshot_parts.LONG_READINGS))
    assert snapshot_parts.takes_long(many, "zip", Options())
    assert snapshot_parts.takes_long(many, "csv", Options(rows="readings"))
    assert not snapshot_parts.takes_long(many, "csv", Options(rows="sites"))


def test_what_takes_long_is_made_with_a_bar_and_then_offered(wells, monkeypatch):
    monkeypatch.setattr(snapshot_parts, "LONG_SITES", 0)
    app = page()
    assert not app.get("download_button")
    app.button(key="make_xlsx").click().run()
    assert not app.exception
    (offer,) = app.get("download_button")
    assert "groundwater" in offer.proto.label
    assert "xlsx" in offer.proto.label
    assert wells[-1][1] == "xlsx"
    app.text_input(key="snapshot_name").set_value("Another").run()
    assert not app.get("download_button")  # that file was of another choice


def test_the_trends_of_one_site_are_drawn_when_somebody_looks(home, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(home[0]))  # and not what is made up: with real pictures, once
    app = page(size="og")
    assert len(app.get("image")) == 1
    app.session_state["snapshot_tabs"] = "Trends"
    app.session_state["snapshot_site"] = "t:above"
    app.run()
    assert not app.exception
    preview, trend = app.get("image")
    assert trend.proto.imgs[0].alt.startswith("Nitrate")
    assert "Above" in trend.proto.imgs[0].alt
    offered = [element.proto.id.rsplit("trend_", 1)[-1] for element in app.get("download_button")]
    assert offered[-3:] == ["png", "svg", "pdf"]


def test_a_correction_since_is_told_above_the_picture(wells, tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_STORE", f"duckdb:{tmp_path / 'own'}")
    put(readings())
    shot = frozen.keep(place(), frozen.freeze(place(), VIEW, NOW), NOW)
    put(
        readings([("t:above", "Above", "well", *WELLS[0][3:5], 20.0, "2026-05-01")], earlier=False),
        name="c.csv",
    )
    app = page(snapshot=shot.id)
    assert "corrected: 1" in app.warning[0].value.replace("\\", "").replace("\u2060", "")
    assert "1 reading of this snapshot was corrected" in told(app)
    assert wells[-1][0].counts.above == 3


def test_the_title_of_one_subject_does_not_stay_above_another(wells):
    app = page(name="Nitrate in our wells", size="og")
    app.selectbox(key="choice_property").set_value("arsenic").run()
    assert "name" not in app.query_params
    assert app.query_params["size"] == "og"


def test_the_map_leads_here_with_its_box(wells):
    app = AppTest.from_file(MENU, default_timeout=60)
    app.query_params["bbox"] = f"{LON + 360 - 0.045},{LAT - 0.04},{LON + 360 + 0.1},{LAT + 0.04}"
    app.query_params["period"] = "5y"
    app.run()
    button(app, "Publish what the map shows").click().run()
    assert not app.exception
    assert app.title[0].value == "Publish a snapshot"
    shot = wells[0][0]
    assert shot.view.period == "5y"
    assert shot.view.bbox[0] == pytest.approx(LON - 0.045, abs=1e-3)
    assert len(shot.sites)


def test_what_lies_between_the_sites_is_chosen_and_drawn(wells):
    app = page(surface="probability")
    assert wells[-1][0].surface.kind == "probability"
    # Eight wells are too few; the picture says so instead.
    assert "takes 20 places" in wells[-1][0].surface.refused
    app.selectbox(key="snapshot_surface").set_value("").run()
    assert wells[-1][0].surface is None
    assert "surface" not in app.query_params
    assert page(surface="guess").selectbox(key="snapshot_surface").value == ""

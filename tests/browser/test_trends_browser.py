"""The Trends page in a real browser: a row is picked, its chart is drawn, a link opens it again, nobody else is asked."""

from __future__ import annotations

import pytest

from tests.browser.test_map_browser import Visit, chromium  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

#: Middle of the first row's box, in the table's own points: under the heading, at the left edge.
FIRST_ROW = {"x": 18, "y": 53}


@pytest.fixture
def visit(chromium, server, request):  # noqa: F811
    tab = Visit(chromium, server[0], request.node.name)
    yield tab
    tab.picture("end")
    tab.context.close()
    assert tab.foreign == [], "a page asked somebody else"
    assert tab.wrong == []


def test_a_picked_row_draws_its_chart_and_stays_in_the_address(visit):
    page = visit.page
    page.goto(visit.server + "/trends?property=nitrate")
    page.get_by_role("heading", name="Trends: Nitrate").wait_for()
    grid = page.locator(".stDataFrameGlideDataEditor").first
    grid.wait_for()
    page.wait_for_timeout(1000)  # the grid takes clicks only when it has been laid out
    assert page.locator("[data-testid='stVegaLiteChart']").count() == 0
    grid.click(position=FIRST_ROW)
    chart = page.locator("[data-testid='stVegaLiteChart']")
    chart.locator("canvas, svg").first.wait_for()
    page.wait_for_url("**site=*")
    visit.picture("chart")
    sentence = page.get_by_text("with 95 % confidence").first.inner_text()
    page.goto(page.url)
    chart.locator("canvas, svg").first.wait_for()
    assert page.get_by_text("with 95 % confidence").first.inner_text() == sentence
    page.get_by_role("link", name="This site on the map").click()
    page.get_by_text("Selected site").wait_for()
    page.get_by_text(sentence).wait_for()

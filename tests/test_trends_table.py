"""The table of trends: one row per series, the same numbers as the functions, on the command line and over HTTP."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

import store
from layers import picture as pictures
from layers import trends as found
from situation import confirmed, projection
from situation.series import series
from situation.settings import settings
from situation.standard import standard_named
from situation.topic import topics
from situation.trend import trends
from situation.view import View
from tests.some_wells import LAT, LON, NASTY, NOW, put
from tests.some_wells import readings as wells
from tests.test_routes import get

VIEW = View("groundwater", "nitrate", "who_drinking_water")
LIMIT = standard_named("who_drinking_water").limit("nitrate")


def yearly(site, name, kind, values, *, lon=LON, lat=LAT, start="2012-03-01", **other):
    """Make one reading a year; a number is measured, a text such as ``<0.5`` is censored."""
    days = pd.date_range(start, periods=len(values), freq="365D", tz="UTC")
    table = wells([(site, name, kind, lon, lat, 1.0, "2026-05-01")], earlier=False)
    table = pd.concat([table] * len(values), ignore_index=True)
    less = [isinstance(value, str) for value in values]
    numbers = [float(str(value).lstrip("<")) for value in values]
    return table.assign(
        phenomenon_time=days.astype("datetime64[us, UTC]"),
        result=np.where(less, np.nan, numbers),
        detection_limit=np.where(less, numbers, np.nan),
        censoring=["<" if one else "=" for one in less],
        result_text=[str(value) for value in values],
        observation_id=[f"{site}-{start}-{other}-{n}" for n in range(len(values))],
        **other,
    )


def up(start=20.0, step=2.0, n=14):
    return [start + step * i + 0.3 * (-1) ** i for i in range(n)]


def some_series():
    return pd.concat(
        [
            yearly("t:up", "Up", "well", up()),
            yearly("t:down", "Down", "well", up()[::-1]),
            yearly("t:flat", "Flat", "well", [10, 12, 9, 11, 10, 12, 9, 11, 10, 9, 12, 10, 11, 10]),
            yearly("t:up", "Up", "well", ["<0.5"] * 6, sample_fraction="dissolved"),
            yearly("t:one", "One", "well", [80.0]),
            yearly("t:same", "Same", "well", [5.0] * 9),
            yearly("t:nasty", NASTY, "well", up(1, 0.1, 10)),
            yearly(
                "t:home-1", "Family Smith", "household_well", up(30, 1), lon=LON + 0.0099, lat=LAT + 0.0301
            ),
            yearly(
                "t:home-2", "Family Jones", "household_well", up(60, -2), lon=LON + 0.0098, lat=LAT + 0.0302
            ),
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    var = tmp_path_factory.mktemp("trends")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMMONSIGHT_VAR", str(var))
        put(some_series(), simulated=True)
        put(yearly("t:new", "New", "well", up()), accept=False, name="pending.csv")
    return var


@pytest.fixture
def kept(home, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(home))
    found.forget()
    pictures.forget()
    return found.table(VIEW, NOW)


def row(made, site, fraction=None):
    rows = made.rows[made.rows["monitoring_location_id"] == site]
    same = rows["sample_fraction"].isna() if fraction is None else rows["sample_fraction"].eq(fraction)
    (one,) = rows[same].to_dict("records")
    return one


def test_there_is_one_row_per_series_with_the_columns_that_are_promised(kept):
    assert list(kept.rows.columns) == list(found.COLUMNS)
    assert len(kept.rows) == 9
    assert kept.rows["n"].sum() == len(some_series())
    trend = {site: row(kept, site)["trend"] for site in ("t:up", "t:down", "t:flat", "t:one")}
    assert trend == {
        "t:up": "rising",
        "t:down": "falling",
        "t:flat": "no clear trend",
        "t:one": "not enough readings",
    }


def test_the_numbers_are_those_of_the_functions(kept):
    exact = store.shared(settings().active_store_url).observations(observed_property="nitrate", site="t:up")
    made = series(exact[exact["sample_fraction"].isna()], "nitrate", LIMIT)
    fit = trends(made.table)
    crossing = projection.project(fit, LIMIT, now=NOW, horizon_years=10)
    sure = confirmed.confirm(made.table, fit, LIMIT)
    one = row(kept, "t:up")
    for name in ("slope", "slope_low", "slope_high", "p", "tau", "S", "n", "n_censored", "trend", "method"):
        assert one[name] == fit[name].iloc[0], name
    for name in ("crossing", "crossing_time", "crossing_earliest", "crossing_latest"):
        here, there = one[name], crossing[name].iloc[0]
        assert here == there or (pd.isna(here) and pd.isna(there)), name
    assert one["confirmed"] == sure["confirmed"].iloc[0]
    # Rising by some 2 a year from 20: 50 mg/L is reached in 2027.
    assert one["slope"] == pytest.approx(2.0, abs=0.1)
    assert one["crossing"] == "crossing expected"
    assert one["crossing_time"].year in (2026, 2027)


@pytest.mark.parametrize("site", ["t:one", "t:same"])
def test_a_series_that_says_nothing_says_why(site, kept):
    one = row(kept, site)
    assert one["trend"] in ("not enough readings", "no clear trend")
    assert one["why"] or one["trend"] == "no clear trend"
    assert row(kept, "t:up", "dissolved")["why"]


def test_a_series_without_a_single_number_is_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    text = yearly("t:text", "Text", "well", [1.0, 2.0]).assign(
        result=np.nan, censoring="text", result_text="trace"
    )
    put(pd.concat([text, yearly("t:up", "Up", "well", up())], ignore_index=True))
    made = found.table(VIEW, NOW)
    one = row(made, "t:text")
    assert (one["n"], one["left_out"], one["trend"]) == (0, 2, "not enough readings")
    assert "None of its 2 readings can be used" in one["why"]
    assert one["status"] == "inconclusive"
    assert dict(made.left_out) == {"text, not a number": 2}


def test_the_most_urgent_comes_first(kept):
    assert kept.rows["crossing"].iloc[0] == "crossing expected"
    first = kept.rows["crossing"].map(found._URGENT.index)
    assert first.is_monotonic_increasing


def test_status_is_that_of_the_map(kept):
    shown = pictures.picture(VIEW, NOW).sites.set_index("monitoring_location_id")["status"]
    for site in ("t:down", "t:flat", "t:one", "t:nasty"):
        assert row(kept, site)["status"] == shown[site]


def test_hidden_wells_are_two_rows_without_names_or_places(kept):
    hidden = kept.rows[kept.rows["position_rule"] != "exact"]
    assert len(hidden) == 2
    assert hidden["monitoring_location_id"].nunique() == 1
    assert hidden["monitoring_location_id"].str.startswith("area-").all()
    assert sorted(hidden["trend"]) == ["falling", "rising"]
    told = kept.rows.to_csv()
    for secret in ("Smith", "Jones", "t:home", f"{LON + 0.0099:.4f}", f"{LAT + 0.0301:.4f}"):
        assert secret not in told
    assert hidden["depth_m"].isna().all()
    one = found.one(VIEW.but(site=hidden["monitoring_location_id"].iloc[0]), NOW)
    assert sorted(one.rows["trend"]) == ["falling", "rising"]
    assert not one.rows.to_csv().count("t:home")
    assert "t:home" not in one.readings.to_csv()
    assert found.one(VIEW.but(site="t:home-1"), NOW) is None


def test_a_type_that_one_reading_names_hides_every_series_of_the_site():
    exact = yearly("t:x", "X", "well", up(), lon=LON + 0.1234)
    typed = yearly("t:x", "X", "household_well", up(), lon=LON + 0.1234, sample_fraction="total")
    made = found.assemble(
        pd.concat([typed.assign(phenomenon_time=typed["phenomenon_time"] - pd.Timedelta(days=9)), exact]),
        "nitrate",
        standard_named("who_drinking_water"),
        topics()["groundwater"],
        NOW,
    )
    assert set(made.rows["position_rule"]) == {"blurred"}
    assert "t:x" not in made.rows.to_csv()


def test_the_table_of_one_site_has_the_numbers_of_the_table_of_all(kept):
    names = ["trend", "slope", "slope_low", "slope_high", "p", "n", "crossing", "confirmed", "status", "said"]
    for place in range(len(kept.rows)):
        one = found.one(VIEW.but(site=kept.rows["monitoring_location_id"].iloc[place]), NOW)
        there = found.same(kept, place, one)
        here = kept.rows[names].iloc[[place]].reset_index(drop=True)
        pd.testing.assert_frame_equal(here, one.rows[names].iloc[[there]].reset_index(drop=True))
        assert len(one.of(there)) == here["n"].iloc[0]


def test_a_limit_for_another_fraction_is_not_crossed():
    limit = LIMIT.__class__(**{**vars(LIMIT), "fraction": "dissolved"})
    assert found.applies(limit, None)
    assert found.applies(limit, "Dissolved")
    assert not found.applies(limit, "total")
    assert not found.applies(None, None)
    standard = standard_named("who_drinking_water")
    other = standard.__class__(**{**vars(standard), "rows": (limit,)})
    made = found.assemble(
        pd.concat(
            [
                yearly("t:a", "A", "well", up(), sample_fraction="total"),
                yearly("t:a", "A", "well", up(), sample_fraction="dissolved"),
            ],
            ignore_index=True,
        ),
        "nitrate",
        other,
        topics()["groundwater"],
        NOW,
    )
    crossing = made.rows.set_index("sample_fraction")["crossing"].to_dict()
    assert crossing == {"total": "no limit", "dissolved": "crossing expected"}


def test_the_choice_is_respected(kept):
    assert "t:new" not in set(kept.rows["monitoring_location_id"])
    assert "t:new" in set(found.table(VIEW.but(review="all"), NOW).rows["monitoring_location_id"])
    past = found.table(VIEW.but(period="/2020-12-31"), NOW)
    assert past.rows["last_time"].max() < pd.Timestamp("2021-01-01", tz="UTC")
    assert past.now == pd.Timestamp("2021-01-01", tz="UTC")
    assert len(found.table(VIEW.but(as_of=0), NOW).rows) == 0
    assert len(found.table(VIEW.but(observed_property="arsenic"), NOW).rows) == 0


def test_it_is_made_once_per_choice(kept):
    assert found.is_ready(VIEW, NOW)
    assert found.table(VIEW, NOW) is kept
    assert found.table(VIEW.but(bbox=(0, 0, 1, 1), site="t:up"), NOW) is kept
    assert not found.is_ready(VIEW.but(period="5y"), NOW)


def test_lines_end_where_a_decay_would_fall_below_zero(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    put(yearly("t:decay", "Decay", "well", [100 * 0.6**i for i in range(14)]))
    one = found.one(VIEW.but(site="t:decay"), NOW)
    lines = one.lines(0)
    assert lines.ends is not None
    assert (lines.band["estimate"] >= 0).all()
    assert len(lines.fan) == 0
    straight = found.one(VIEW.but(site="t:decay", period="/2013-12-31"), NOW)
    assert straight.rows["trend"].iloc[0] == "not enough readings"
    assert len(straight.lines(0).band) == 0


@pytest.mark.parametrize(
    ("values", "bent"),
    [
        ([*range(10, 40), *range(38, 26, -1)], "below"),
        ([60 - v for v in [*range(10, 40), *range(38, 26, -1)]], "above"),
        (["<0.5"] * 10 + up(1, 1, 30), ""),
        (up(), ""),
        ([100 * 0.6**i for i in range(14)], ""),
        ([5.0], ""),
    ],
    ids=["went back", "came again", "rose from nothing", "straight", "decay", "one reading"],
)
def test_a_record_that_bent_away_from_its_line_is_told(values, bent):
    made = found.assemble(
        yearly("t:a", "A", "well", values, start="1980-03-01"),
        "nitrate",
        standard_named("who_drinking_water"),
        topics()["groundwater"],
        NOW,
        detailed=True,
    )
    assert made.lines(0).bent == bent


def test_hidden_wells_of_one_square_are_counted_each_as_on_the_map():
    made = found.assemble(
        some_series(), "nitrate", standard_named("who_drinking_water"), topics()["groundwater"], NOW
    )
    names = made.rows["monitoring_location_id"]
    assert names[names.str.startswith("area-")].nunique() == 1
    assert made.sites == some_series()["monitoring_location_id"].nunique() == names.nunique() + 1


def test_the_smooth_line_is_broken_where_nothing_was_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    old, new = (
        yearly("t:gap", "Gap", "well", up(n=6), start=start) for start in ("1920-03-01", "2015-03-01")
    )
    put(pd.concat([old, new], ignore_index=True))
    eye = found.one(VIEW.but(site="t:gap"), NOW).lines(0).eye
    assert len(eye)
    assert eye["piece"].nunique() == 2
    assert not eye["time"].dt.year.between(1926, 2014).any()


# -- over HTTP and on the command line ---------------------------------------------------------------


def same_rows(told, made, **read):
    table = pd.read_csv(io.StringIO(told), **read)
    assert list(table.columns[: len(found.COLUMNS)]) == list(found.COLUMNS)
    assert table["monitoring_location_id"].tolist() == made.rows["monitoring_location_id"].tolist()
    for name in ("slope", "slope_low", "slope_high", "p", "n", "share_censored"):
        np.testing.assert_allclose(table[name], made.rows[name].astype(float), rtol=1e-12)
    for name in ("trend", "crossing", "confirmed", "status"):
        assert table[name].tolist() == made.rows[name].tolist()
    return table


def test_csv_and_json_over_http_have_the_numbers_of_the_page(kept):
    now = found.table(VIEW)
    asked = VIEW.to_params()
    answer = get("/api/trends.csv", **asked)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    table = same_rows(answer.body.decode(), now)
    assert table["simulated"].eq("yes").all()
    assert pd.to_datetime(table["crossing_time"]).iloc[0].floor("s") == (
        now.rows["crossing_time"].iloc[0].floor("s")
    )
    again = get("/api/trends.csv", {"If-None-Match": answer.headers["etag"]}, **asked)
    assert again.status == 304
    told = get("/api/trends.json", **asked).json
    assert (told["unit"], told["limit"]) == ("mg/L as NO3", "50 mg/L as NO3")
    assert [one["slope"] for one in told["series"]] == [
        None if np.isnan(slope) else slope for slope in now.rows["slope"]
    ]
    assert told["simulated"] is True


def test_a_box_and_a_site_choose_and_a_box_finds_no_hidden_well(kept):
    only = get("/api/trends.json", **VIEW.but(site="t:up").to_params()).json["series"]
    assert {one["monitoring_location_id"] for one in only} == {"t:up"}
    near = (LON + 0.0095, LAT + 0.0299, LON + 0.0101, LAT + 0.0304)
    assert get("/api/trends.json", **VIEW.but(bbox=near).to_params()).json["series"] == []


def test_a_wrong_question_is_a_sentence_and_what_is_pending_stays_so(kept):
    wrong = get("/api/trends.csv", property="nonsense")
    assert wrong.status == 400
    assert "nonsense" in wrong.json["error"]
    assert get("/api/trends.csv", review="all").status == 403


def test_a_formula_in_a_name_is_no_formula_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONSIGHT_VAR", str(tmp_path))
    found.forget()
    put(yearly("t:evil", "=HYPERLINK(1)", "well", up()))
    told = get("/api/trends.csv", **VIEW.to_params()).body.decode()
    assert "'=HYPERLINK" in told
    assert ",=HYPERLINK" not in told


def test_the_command_prints_the_same_rows(kept, monkeypatch, tmp_path):
    from click.testing import CliRunner

    from commonsight import cli

    now = found.table(VIEW)
    asked = ["trends", "--property", "nitrate", "--standard", "who_drinking_water"]
    told = CliRunner().invoke(cli, asked)
    assert told.exit_code == 0, told.output
    table = same_rows(told.stdout, now)
    assert table["simulated"].eq("yes").all()
    as_json = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert as_json == json.loads(CliRunner().invoke(cli, [*asked, "--format", "json"]).stdout)
    assert [one["n"] for one in as_json["series"]] == now.rows["n"].tolist()
    out = tmp_path / "trends.csv"
    assert CliRunner().invoke(cli, [*asked, "--out", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8") == told.stdout
    wrong = CliRunner().invoke(cli, ["trends", "--property", "nonsense"])
    assert wrong.exit_code == 2
    assert "nonsense" in wrong.stderr

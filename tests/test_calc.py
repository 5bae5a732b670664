"""`calc`: every method from the command line, on published files and on files as people have them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commonsight import cli
from situation.calc import METHODS


class Said:
    """What a command answered; a trace of the inside, or an error nobody foresaw, fails the test."""

    def __init__(self, *words: Any) -> None:
        result = CliRunner().invoke(cli, ["calc", *map(str, words)], prog_name="python -m commonsight")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        assert not (Path(os.environ["COMMONSIGHT_VAR"]) / "last_error.txt").exists(), result.output
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr

    @property
    def json(self) -> Any:
        """Read the JSON on standard output; NaN is not JSON."""
        return json.loads(self.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def calc(*words: Any, code: int = 0) -> Any:
    """Run calc with --json and give what it said."""
    said = Said(*words, "--json")
    assert said.code == code, said.out + said.err
    return said.json


def write(folder: Path, text: str, name: str = "well.csv", encoding: str = "utf-8") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def oracles(shared: Path) -> Any:
    """Return a function that gives a published case: what is expected, and the file."""
    cases = json.loads((shared / "oracles" / "oracles.json").read_text("utf-8"))["cases"]

    def get(name: str) -> tuple[dict, Path]:
        case = next(one for one in cases if one["id"] == name)
        return case["expect"], shared / "oracles" / case.get("input", "")

    return get


# -- Published cases ----------------------------------------------------------------------------------


def test_trend_epa_2009_example_17_6(oracles) -> None:
    expect, path = oracles("mk_epa09_17_6")
    found = calc("trend", "--input", path, "--value", "Sulfate.ppm", "--time", "Sampling.Date")
    assert (found["n"], found["S"], found["var_S"]) == (expect["n"], expect["S"], expect["varS"])
    assert found["z"] == pytest.approx(expect["z"], abs=5e-7)
    assert found["p"] == pytest.approx(expect["p_two_sided"], rel=5e-7)
    assert found["tau"] == pytest.approx(expect["tau_a"], abs=5e-8)
    assert found["slope"] == pytest.approx(expect["slope"], abs=5e-8)
    assert found["intercept"] == pytest.approx(expect["intercept_conover"], abs=5e-8)
    assert [found["slope_low"], found["slope_high"]] == pytest.approx(expect["ci95"], abs=5e-6)


def test_the_keys_of_trend_are_those_that_scripts_rely_on(oracles) -> None:
    _, path = oracles("mk_epa09_17_6")
    found = calc("trend", "--input", path, "--value", "Sulfate.ppm", "--time", "Date")
    keys = ["n", "S", "var_S", "z", "p", "tau", "slope", "slope_low", "slope_high", "intercept"]
    assert set(keys) <= set(found)
    assert found["slope_per"] == "year"


def test_seasonal_trend_epa_2009_example_14_10(oracles) -> None:
    expect, path = oracles("smk_epa09_14_10")
    words = ("--value", "Unadj.Conc", "--time", "Year", "--season", "Month")
    found = calc("seasonal-trend", "--input", path, *words)
    assert (found["S"], found["df"]) == (expect["S"], expect["df"])
    assert found["var_S"] == pytest.approx(expect["varS"])
    assert found["z"] == pytest.approx(expect["z"], abs=5e-8)
    assert found["p"] == pytest.approx(expect["p_two_sided"], rel=5e-7)
    assert found["tau"] == pytest.approx(expect["tau"], abs=5e-8)
    assert found["slope"] == pytest.approx(expect["slope"], abs=5e-9)
    assert [found["slope_low"], found["slope_high"]] == pytest.approx(expect["ci95"], abs=5e-9)
    assert found["chi2_het"] == pytest.approx(expect["chi2_het"], abs=5e-8)


def test_censored_trend_nada2_gales_creek(oracles) -> None:
    expect, path = oracles("ats_gales_creek")
    words = ("--value", "TCr", "--time", "dectime", "--censored", "CrND")
    found = calc("censored-trend", "--input", path, *words)
    assert (found["n"], found["S"], found["n_censored"]) == (expect["n"], expect["S"], 17)
    assert found["tau"] == pytest.approx(expect["tau"], abs=5e-7)
    assert found["p"] == pytest.approx(expect["p"], abs=5e-6)
    assert found["slope"] == pytest.approx(expect["slope"], abs=5e-8)
    assert found["intercept"] == pytest.approx(expect["intercept_turnbull"], abs=5e-4)


def test_censored_mean_epa_2009_example_15_1(oracles) -> None:
    expect, path = oracles("km_epa09_15_1")
    words = ("--value", "Manganese.Orig.ppb", "--log", "--convention", "lowest-limit-2013")
    found = calc("censored-mean", "--input", path, *words)
    assert found["mean"] == pytest.approx(expect["mean_log"], abs=5e-7)
    assert found["sd"] == pytest.approx(expect["sd_log"], abs=5e-8)
    assert found["se"] == pytest.approx(expect["se_mean_log"], abs=5e-8)
    assert found["convention"] == "lowest-limit-2013"
    # Whatever was chosen, the other conventions stand beside it.
    assert found["conventions"]["smallest-detect"]["mean"] == pytest.approx(2.4144518, abs=5e-8)


def test_censored_mean_nada2_pyrene(oracles) -> None:
    expect, path = oracles("km_shepyrene")
    found = calc("censored-mean", "--input", path, "--value", "Pyrene", "--censored", "PyreneCen")
    assert {"mean", "sd", "se", "convention"} <= set(found)
    assert (found["n"], found["n_censored"]) == (expect["n"], 11)
    assert [found[name] for name in ("mean", "sd", "se")] == pytest.approx(
        [expect[name] for name in ("mean", "sd", "se")], abs=5e-5
    )
    assert [found["lower"], found["upper"]] == pytest.approx(expect["ci95_t"], abs=5e-6)
    assert found["comparison_only"][1]["substitution"] == 0.5


def test_ros_epa_2009_example_15_2(oracles) -> None:
    expect, path = oracles("ros_epa09_15_2")
    found = calc("ros", "--input", path, "--value", "Manganese.ppb", "--censored", "Censored")
    assert (found["meanlog"], found["sdlog"]) == pytest.approx((expect["meanlog"], expect["sdlog"]), abs=5e-7)


def test_lower_limit_epa_2009_example_21_1_by_well(oracles) -> None:
    expect, path = oracles("lcl_epa09_21_1")
    found = calc("lower-limit", "--input", path, "--value", "Aldicarb.ppb", "--group", "Well")
    limits = {one["group"]: one["limit"] for one in found["groups"]}
    assert limits == {
        well: pytest.approx(limit, abs=5e-6 if well == "Well.1" else 5e-3)
        for well, limit in expect["LCL"].items()
    }


def test_upper_limit_epa_2009_examples_21_2_and_21_3(oracles) -> None:
    expect, path = oracles("ucl_epa09_21_2")
    words = ("--value", "Benzene.ppb.orig", "--distribution", "lognormal", "--substitute", "0.5")
    found = calc("upper-limit", "--input", path, *words)
    assert found["geometric_mean"]["limit"] == pytest.approx(expect["UCL"], abs=5e-7)
    assert found["limit"] == found["upper"] == pytest.approx(18.86139, abs=5e-6)  # by Land
    assert found["note"].startswith("for comparison only: 1 non-detects replaced by 0.5")
    other = calc("upper-limit", "--input", path, *words, "--of", "geometric-mean")
    assert other["limit"] == pytest.approx(expect["UCL"], abs=5e-7)


def test_percentile_limit_epa_2009_example_21_4(oracles) -> None:
    expect, path = oracles("pctl_epa09_21_4")
    words = ("--value", "Aldicarb.ppb", "--group", "Well", "--percentile", "95", "--confidence", "0.99")
    found = calc("percentile-limit", "--input", path, *words)["groups"]
    assert [one["lower"] for one in found] == pytest.approx(expect["LCL"], abs=5e-3)
    assert [one["upper"] for one in found] == pytest.approx(expect["UCL"], abs=5e-3)
    assert found[0]["lower"] == pytest.approx(expect["LCL"][0], abs=6e-6)


def test_a_percentile_below_one_is_a_share(tmp_path: Path) -> None:
    path = write(tmp_path, "v\n5\n6\n7\n9\n")
    both = [calc("percentile-limit", "--input", path, "--value", "v", "--percentile", p) for p in (95, 0.95)]
    assert both[0] == both[1]
    assert both[0]["percentile"] == 95


def test_lower_limit_epa_2009_example_21_5_order_statistics(oracles) -> None:
    expect, path = oracles("np_epa09_21_5")
    words = ("--value", "Beryllium.ppb", "--distribution", "nonparametric", "--confidence", "0.99")
    found = calc("lower-limit", "--input", path, *words)
    assert (found["limit"], found["rank"], round(found["achieved"], 4)) == (expect["LCL"], 4, expect["conf"])


def test_percentile_limit_epa_2009_example_21_6_with_non_detects(tmp_path: Path) -> None:
    cells = ["<5", "12.3", "<5", "<5", "8.1", "<5", "11", "35.1", "<5", "<5", "9.3", "10.3"]
    path = write(tmp_path, "nitrate\n" + "\n".join(cells) + "\n")
    words = ("--value", "nitrate", "--distribution", "nonparametric", "--percentile", "95")
    found = calc("percentile-limit", "--input", path, *words)
    assert (found["lower"], found["lower_rank"], round(found["lower_achieved"], 2)) == (11, 10, 0.98)
    assert (found["upper"], found["upper_needed"], found["n_censored"]) == (35.1, 59, 6)
    assert "too few" in found["upper_why"]


def test_trend_band_epa_2009_example_21_7(oracles) -> None:
    expect, path = oracles("trend_band_epa09_21_7")
    words = ("--value", "TCE.ppb", "--time", "Month", "--at", "30", "--at", "26")
    found = calc("trend-band", "--input", path, *words)
    assert found["slope"] == pytest.approx(expect["slope"], abs=5e-8)
    assert found["intercept"] == pytest.approx(expect["intercept"], abs=5e-8)
    assert [one["upper"] for one in found["pointwise"]] == pytest.approx(
        [expect["ucl95_month30"], expect["ucl95_month26"]], abs=5e-6
    )
    assert [round(one["upper"], 2) for one in found["simultaneous"]] == [12.87, 18.14]


def test_krige_isaaks_and_srivastava_chapter_12(shared: Path, tmp_path: Path) -> None:
    cases = json.loads((shared / "oracles" / "oracles.json").read_text("utf-8"))["cases"]
    case = next(one for one in cases if one["id"] == "ok_isaaks_ch12")
    rows = "\n".join(f"{x},{y},{v}" for x, y, v in case["points"])
    path = write(tmp_path, f"east,north,v\n{rows}\n")
    words = ("--value", "v", "--x", "east", "--y", "north", "--at", "65,137")
    model = ("--variogram", "exponential", "--sill", "10", "--range", "10")  # 95 % at 3 / 0.3
    found = calc("krige", "--input", path, *words, *model)
    expect = case["expect"]
    assert found["weights"] == pytest.approx(expect["weights"], abs=6e-4)
    assert found["estimate"] == pytest.approx(expect["estimate"], abs=0.06)
    assert found["variance"] == pytest.approx(expect["variance"], abs=6e-3)


# -- Files as people have them -----------------------------------------------------------------------

GERMAN = (
    "Datum;Zink µg/L\n01.02.2020;1,5\n01.03.2020;<0,5\n01.04.2020;3,25\n01.08.2021;3,5\n01.09.2022;4,75\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_semicolons_decimal_commas_and_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, GERMAN, encoding=encoding)
    found = calc("trend", "--input", path, "--value", "Zink µg/L", "--time", "Datum")
    assert (found["n"], found["n_censored"], found["S"]) == (5, 1, 8)
    assert found["calculated"].startswith("censored Kendall")  # never a half limit


def test_a_cell_with_less_than_is_censored_at_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, "v\n<5\n5\n6\n7\n")
    found = calc("censored-mean", "--input", path, "--value", "v")
    assert (found["n"], found["n_censored"]) == (4, 1)
    marked = write(tmp_path, "v,nd\n5,1\n5,0\n6,0\n7,0\n", "marked.csv")
    other = calc("censored-mean", "--input", marked, "--value", "v", "--censored", "nd")
    assert other["mean"] == found["mean"]


@pytest.mark.parametrize("word", ["TRUE", "true", "T", "1", "1.0", "yes", "Y", "<", "ND", "oui", "sí"])
def test_words_for_censored(tmp_path: Path, word: str) -> None:
    path = write(tmp_path, f"v,c\n5,{word}\n5,FALSE\n6,0\n7,\n8,=\n9,no\n")
    assert calc("censored-mean", "--input", path, "--value", "v", "--censored", "c")["n_censored"] == 1


def test_what_cannot_be_read_is_counted_and_named(tmp_path: Path) -> None:
    path = write(tmp_path, "t,v\n2001,5\n2002,abc\n2003,\n2004,ND\nsoon,7\n2006,8\n\n2008,9\n2009,1/2\n")
    said = Said("trend", "--input", path, "--value", "v", "--time", "t")
    assert said.code == 1
    assert "left out: 4 of 8 rows" in said.out
    assert "line 3, v 'abc': it is not a number" in said.out
    assert "line 5, v 'ND': it says 'not detected' without the limit of detection" in said.out
    assert "line 6, t 'soon': it is not a number" in said.out
    assert "note: 1 of 8 rows have no reading." in said.out
    found = calc("trend", "--input", path, "--value", "v", "--time", "t", code=1)
    assert (found["n"], found["rows"], found["blank"]) == (3, 8, 1)
    assert [one["line"] for one in found["left_out"]] == [3, 5, 6, 10]
    assert found["n"] + found["blank"] + len(found["left_out"]) == found["rows"]


def test_an_unknown_mark_of_censoring_leaves_the_row_out(tmp_path: Path) -> None:
    path = write(tmp_path, "v,c\n5,perhaps\n6,0\n7,0\n8,0\n")
    found = calc("censored-mean", "--input", path, "--value", "v", "--censored", "c", code=1)
    assert found["left_out"] == [
        {"line": 2, "column": "c", "cell": "perhaps", "why": "it is neither TRUE nor FALSE, nor < or >"}
    ]


def test_a_comma_that_could_mark_thousands_is_asked_about(tmp_path: Path) -> None:
    path = write(tmp_path, "v;t\n1,234;1\n2,345;2\n3,456;3\n4,567;4\n")
    said = Said("trend", "--input", path, "--value", "v", "--time", "t")
    assert (said.code, "--decimal point or --decimal comma" in said.err) == (2, True)
    found = calc("trend", "--input", path, "--value", "v", "--time", "t", "--decimal", "comma")
    assert found["slope"] == pytest.approx(1.111)


def test_a_date_that_could_be_two_days_is_asked_about(tmp_path: Path) -> None:
    path = write(tmp_path, "d,v\n03/04/2020,1\n05/06/2020,2\n07/08/2020,3\n")
    said = Said("trend", "--input", path, "--value", "v", "--time", "d")
    assert (said.code, "--date-order" in said.err) == (2, True)
    found = calc("trend", "--input", path, "--value", "v", "--time", "d", "--date-order", "dmy")
    assert found["slope"] == pytest.approx(2 / (126 / 366), rel=0.02)


def test_the_months_of_dates_are_the_seasons_where_none_are_named(tmp_path: Path) -> None:
    rows = [
        f"{year}-{month:02}-10,{month + year - 2000}" for year in range(2001, 2006) for month in (1, 4, 7)
    ]
    path = write(tmp_path, "d,v\n" + "\n".join(rows) + "\n")
    found = calc("seasonal-trend", "--input", path, "--value", "v", "--time", "d")
    assert (found["S"], found["df"], found["seasons"]) == (30, 2, "the months of the dates")
    said = Said(
        "seasonal-trend", "--input", write(tmp_path, "t,v\n1,1\n2,2\n"), "--value", "v", "--time", "t"
    )
    assert (said.code, "needs --season" in said.err) == (2, True)


def test_a_column_named_for_nothing_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "t,s,v\n1,a,1\n2,b,2\n3,a,4\n")
    found = calc("trend", "--input", path, "--value", "v", "--time", "t", "--season", "s")
    assert found["notes"] == ["--season is not used by trend."]


def test_a_workbook_and_letters_of_another_case(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in (["Site", "Zinc"], ["A", 3], ["A", 4], ["A", 7], ["B", 9]):
        book.active.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert calc("lower-limit", "--input", path, "--value", "zinc")["n"] == 4


def test_one_group_that_has_no_answer_does_not_spoil_the_others(tmp_path: Path) -> None:
    path = write(tmp_path, "well,v\nA,3\nA,4\nA,7\nB,9\n,5\n")
    found = calc("lower-limit", "--input", path, "--value", "v", "--group", "well", code=1)
    assert found["groups"][0]["n"] == 3
    assert found["groups"][1]["error"].startswith("There is one reading")
    assert found["left_out"][0]["why"] == "it is empty"


# -- Sentences ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "text", "words", "sentence"),
    [
        ("trend", "a,b\n1,2\n2,3\n", "--value v --time a", "has no column 'v'; it has: a, b."),
        ("trend", "t,v\n1,2\n2,3\n", "--value v", "trend needs --time."),
        ("trend", "t,v\n1,2\n1,3\n", "--value v --time t", "All 2 readings are of one time"),
        ("trend", "t,v\n,\n,\n", "--value v --time t", "'v'"),
        ("mean", "t,v\n1,2\n", "--value v", "No method 'mean'; there are trend, seasonal-trend"),
        ("censored-mean", "v\n<1\n<2\n", "--value v", "All 2 readings are censored"),
        ("censored-mean", "v\n<1\n>2\n3\n", "--value v", "one side at a time"),
        ("censored-mean", "v\n1\n2\n", "--value v --convention efron", "No convention 'efron'"),
        ("ros", "v\n<1\n2\n2\n", "--value v", "needs 3 different detects; there are 1 among 3 readings"),
        ("ros", "v\n<1\n0\n2\n3\n4\n", "--value v", "1 is zero"),
        ("lower-limit", "v\n5\n", "--value v", "There is one reading"),
        ("lower-limit", "v\n5\n5\n5\n", "--value v", "All 3 readings are equal (5)"),
        ("lower-limit", "v\n5\n6\n", "--value v --confidence 95", "A confidence of 95 is none"),
        ("lower-limit", "v\n5\n6\n", "--value v --distribution gamma", "normal, lognormal, nonparametric"),
        ("lower-limit", "v\n5\n6\n", "--value v --percentile 90", "percentile-limit"),
        ("lower-limit", "v\n-5\n6\n", "--value v --distribution lognormal", "1 is negative"),
        ("lower-limit", "v\nx\ny\n", "--value v", "all 2 rows with something in 'v' were left out"),
        ("lower-limit", "v\n4\n5 mg/L\n6 ug/L\n", "--value v", "carry different units (mg/L, ug/L)"),
        ("upper-limit", "v\n<5\n6\n7\n8\n", "--value v --substitute 2", "a share of the limit from 0 to 1"),
        ("percentile-limit", "v\n5\n6\n7\n", "--value v --percentile 100", "between 0 and 100"),
        ("trend-band", "t,v\n1,<5\n2,6\n3,7\n", "--value v --time t", "least squares takes none"),
        ("trend-band", "t,v\n1,5\n2,6\n3,7\n", "--value v --time t --at x", "numbers with a decimal point"),
        ("krige", "x,y,v\n1,2,3\n2,3,4\n", "--value v --at 1,1", "krige needs --x and --y."),
        ("krige", "x,y,v\n1,2,3\n2,3,4\n", "--value v --x x --y y", "needs --at X,Y"),
        ("krige", "x,y,v\n1,2,3\n2,3,4\n", "--value v --x x --y y --at 1", "--at takes X,Y"),
        ("krige", "x,y,v\n1,2,<3\n2,3,4\n", "--value v --x x --y y --at 1,1", "kriging takes numbers"),
        (
            "krige",
            "x,y,v\n1,2,3\n2,3,4\n",
            "--value v --x x --y y --at 1,1 --variogram spherical",
            "needs --sill and --range",
        ),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    tmp_path: Path, method: str, text: str, words: str, sentence: str
) -> None:
    path = write(tmp_path, text)
    said = Said(method, "--input", path, *words.split())
    assert said.code == 2
    assert sentence in said.err
    assert not said.out
    assert sentence in Said(method, "--input", path, *words.split(), "--json").json["error"]


def test_a_file_that_is_not_there_or_no_table_is_a_sentence(tmp_path: Path) -> None:
    said = Said("trend", "--input", tmp_path / "none.csv", "--value", "v")
    assert (said.code, said.err.strip()) == (2, f"There is no file {tmp_path / 'none.csv'}.")
    picture = tmp_path / "p.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    said = Said("trend", "--input", picture, "--value", "v")
    assert (said.code, "picture" in said.err) == (2, True)


def test_what_stands_in_the_file_does_not_reach_the_terminal_as_commands(tmp_path: Path) -> None:
    path = write(tmp_path, "v\n\x1b[31mred\n5\n6\n7\n")
    said = Said("lower-limit", "--input", path, "--value", "v")
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_says_what_it_supposes_and_rests_on(tmp_path: Path, method: str) -> None:
    rows = "\n".join(f"{i},{i % 3},{i * 2 % 7 + i},{i * 3 % 5}" for i in range(1, 13))
    path = write(tmp_path, f"t,s,v,y\n{rows}\n")
    words = ["--value", "v", "--time", "t", "--season", "s", "--x", "t", "--y", "y"]
    if method == "krige":
        words += ["--at", "5,2", "--variogram", "spherical", "--sill", "1", "--range", "9"]
    said = Said(method, "--input", path, *words)
    assert said.code == 0, said.err
    assert said.out.startswith(f"{method}: ")
    assert "supposes: " in said.out
    assert "after: " in said.out


def test_j_beside_a_reading_is_an_estimate_and_never_a_non_detect(tmp_path: Path) -> None:
    path = write(tmp_path, "v,q\n5,J\n6,U\n7,\n8,\n9,\n")
    found = calc("censored-mean", "--input", path, "--value", "v", "--censored", "q", code=1)
    assert found["n_censored"] == 1
    assert [(one["cell"], one["line"]) for one in found["left_out"]] == [("J", 2)]


def test_one_unit_in_two_spellings_is_one_and_a_cell_without_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "t,v\n1,5 mg/L\n2,6 mg/l\n3,7 mg/L\n")
    assert calc("trend", "--input", path, "--value", "v", "--time", "t")["notes"] == []
    path = write(tmp_path, "t,v\n1,5 mg/L\n2,6\n3,7 mg/L\n")
    (note,) = calc("trend", "--input", path, "--value", "v", "--time", "t")["notes"]
    assert note == "1 cells such as 6 (line 3) carry no unit, where others say mg/L; they were taken as that."
    said = Said(
        "trend", "--input", write(tmp_path, "t,v\n1,5 mg/L\n2,6 ug/L\n"), "--value", "v", "--time", "t"
    )
    assert (said.code, "different units (mg/L, ug/L)" in said.err) == (2, True)


def test_nothing_is_said_above_a_highest_reading_that_is_only_more_than(tmp_path: Path) -> None:
    path = write(tmp_path, "v\n1\n2\n4\n5\n6\n7\n>8\n")
    found = calc("censored-mean", "--input", path, "--value", "v")
    assert found["upper"] is None
    assert "only known to be more than 8" in found["why"]
    for method in ("upper-limit", "percentile-limit"):
        said = Said(method, "--input", path, "--value", "v")
        assert (said.code, "only known to be more than 8" in said.err) == (2, True)
    closed = write(tmp_path, "v\n1\n2\n>4\n5\n6\n7\n8\n")
    assert "why" not in calc("censored-mean", "--input", closed, "--value", "v")
    assert calc("upper-limit", "--input", closed, "--value", "v")["upper"] > 5


def test_readings_too_large_to_calculate_with_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "v\n1e300\n2e300\n1\n2\n6e307\n")
    said = Said("lower-limit", "--input", path, "--value", "v")
    assert (said.code, "too large" in said.err) == (2, True)


def test_a_band_is_asked_for_a_day_where_times_are_days(tmp_path: Path) -> None:
    path = write(tmp_path, "d,v\n" + "".join(f"{2010 + n}-01-01,{n}\n" for n in range(6)))
    asked = ("trend-band", "--input", path, "--value", "v", "--time", "d", "--at")
    assert calc(*asked, "2013-01-01")["pointwise"][0]["at"] == 2013
    assert calc(*asked, "2013-01-01")["pointwise"] == calc(*asked, "2013")["pointwise"]
    said = Said(*asked, "2013-01-32")
    assert (said.code, "--at takes a day as 2026-01-31" in said.err) == (2, True)


def test_bounds_alone_have_no_slope(tmp_path: Path) -> None:
    path = write(tmp_path, "t,v\n1,<1\n2,<2\n3,>3\n4,>4\n5,>5\n")
    found = calc("censored-trend", "--input", path, "--value", "v", "--time", "t")
    assert [found[name] for name in ("slope", "slope_low", "slope_high", "intercept")] == [None] * 4
    assert "the slope is unknown" in found["why"]


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "v,v\n1,2\n3,4\n5,6\n")
    found = calc("censored-mean", "--input", path, "--value", "v")
    assert (found["mean"], len(found["notes"])) == (3, 1)
    assert "2 columns are called 'v'" in found["notes"][0]

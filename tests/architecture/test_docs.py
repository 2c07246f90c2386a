"""The documentation says what the code does: generated parts, links, metrics, commands, log lines, examples."""

import argparse
import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from btimd.cli import btimctl, btimd
from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.daemon.settings import RootSettings
from btimd.flows.history import MEASUREMENT as TRAFFIC
from btimd.settings import tables
from btimd.settings.fields import Section
from btimd.sla.points import AGREEMENT_MEASUREMENT
from btimd.sla.points import MEASUREMENT as SLA
from tools import docs, docs_settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
_METRIC = re.compile(r"\bbtimd_[a-z0-9_]+\b")
_LOG_LINE = re.compile(r"^(?:DEBUG|INFO|WARNING|ERROR) btimd\.\w+ ([\w-]+)", re.MULTILINE)
_INLINE_COMMAND = re.compile(r"`((?:btimd|btimctl)(?: [^`]*)?)`")
_COMMANDS = {"btimd": btimd.parser(), "btimctl": btimctl.parser({})}
SERVICE_TABLES: dict[str, type[Section]] = {
    "service": tables.ServiceTable,
    "rule": tables.RuleTable,
    "node": tables.NodeTable,
    "check": tables.CheckTable,
    "group": tables.GroupTable,
    "indicator": tables.IndicatorTable,
}
_NO_METRICS = {"btimd_quality", "btimd_links", "btimd_kpi", "btimd_node", TRAFFIC, SLA, AGREEMENT_MEASUREMENT}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    written = _GENERATED.sub("", page.read_text(encoding="utf-8"))
    return [text for found, text in _FENCE.findall(written) if found == language]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_generated_parts_are_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert docs.render(text) == text, f"run {docs.TO_RUN}"


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = set(_LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))

    assert {page.name for page in (ROOT / "docs").glob("*.md")} - listed == {"README.md"}


def test_every_generated_part_stands_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert {part for part in docs.BLOCKS if f"<!-- generated: {part} -->" not in text} == set()


def test_no_meaning_is_written_for_a_key_that_is_gone() -> None:
    assert docs.stale_meanings() == []


def test_a_part_that_nobody_generates_is_refused() -> None:
    with pytest.raises(LookupError, match="nothing generates 'nonsense'; known: settings"):
        docs.render("<!-- generated: nonsense -->\n<!-- end -->")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0s"), (0.3, "300ms"), (90.0, "90s"), (900.0, "15m"), (86_400.0, "1d")]
)
def test_durations_are_written_as_an_operator_would(seconds: float, text: str) -> None:
    assert docs_settings.duration_text(seconds) == text


@pytest.mark.timeout(600)  # where no kernel is compiled yet, the first daemon waits for all of them
async def test_a_running_daemon_has_the_metrics_of_the_documentation_and_no_others(tmp_path: Path) -> None:
    docs.write_smallest_configuration(tmp_path)
    app = App(load_config(tmp_path))
    await app.start()
    app.request_stop()
    await app.run()
    await app.stop()
    found = {metric.name for metric in app.wired.metrics.descriptions()}

    # a stop that was asked for before the first turn leaves the supervisor no time to make its own
    assert found | {"btimd_runtime_restarts_total"} == documented_metrics()


def documented_metrics() -> set[str]:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(btimd_\w+)` \| (?:counter|gauge|histogram) \|", page, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_metric_that_is_named_exists(page: Path) -> None:
    known = {metric.name for metric in docs.metrics_of_the_daemon()}
    known |= {f"{metric}{suffix}" for metric in known for suffix in ("_bucket", "_sum", "_count")} | _NO_METRICS
    text = page.read_text(encoding="utf-8")
    named = {found[0] for found in _METRIC.finditer(text) if text[found.end() : found.end() + 1] != "*"}

    assert {metric for metric in named - known if not metric.endswith("_")} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    dead = []
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            dead.append(target)

    assert dead == []


def anchors(page: Path) -> set[str]:
    """Return the anchors GitHub makes of the headings of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class _Refused(Exception):  # noqa: N818  it is how a parser says no, nothing failed
    """A parser did not take a command line."""


@pytest.fixture
def strict_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: argparse.ArgumentParser, message: str) -> NoReturn:
        raise _Refused(f"{self.prog}: {message}")

    monkeypatch.setattr(argparse.ArgumentParser, "error", refuse)


def command_lines(page: Path) -> Iterator[str]:
    """Yield the commands of btimd and btimctl in the shell examples of a page."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ").removeprefix("/opt/btimd/bin/")
            if command.startswith(("btimd ", "btimctl ")):
                yield command


@pytest.mark.parametrize("page", PAGES, ids=name)
@pytest.mark.usefixtures("strict_parsers")
def test_every_command_of_the_examples_is_taken_by_its_parser(page: Path) -> None:
    refused = []
    for line in command_lines(page):
        program, *arguments = shlex.split(line, comments=True)
        try:
            _COMMANDS[program].parse_args(arguments)
        except _Refused as error:
            refused.append(f"{line}: {error}")

    assert refused == []


@pytest.mark.parametrize("page", PAGES, ids=name)
@pytest.mark.usefixtures("strict_parsers")
def test_every_subcommand_that_is_named_exists(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    unknown = []
    for found in _INLINE_COMMAND.finditer(text):
        program, *arguments = found[1].split()
        if not arguments or not re.fullmatch(r"[a-z-]+", arguments[0]) or arguments[0].startswith("-"):
            continue
        try:
            _COMMANDS[program].parse_args([arguments[0], "--help"])
        except SystemExit:
            continue
        except _Refused:
            unknown.append(found[1])

    assert unknown == []


@cache
def texts_of_the_code() -> frozenset[str]:
    """Return every text that stands in a module: the event of every log line is among them."""
    modules = [path for path in (ROOT / "btimd").rglob("*.py") if "pb" not in path.parts]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in modules)
    found = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(value for value in found if isinstance(value, str))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_log_line_that_is_shown_is_one_of_the_code(page: Path) -> None:
    assert set(_LOG_LINE.findall(page.read_text(encoding="utf-8"))) - texts_of_the_code() == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_toml_example_is_a_right_configuration(page: Path) -> None:
    for block in blocks(page, "toml"):
        written = tomllib.loads(block)
        if written.keys() <= SERVICE_TABLES.keys():  # of services.toml
            for kind, named in written.items():
                for table in named.values():
                    SERVICE_TABLES[kind].model_validate(table)
        else:
            RootSettings.model_validate(written)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_python_example_compiles(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, name(page), "exec")

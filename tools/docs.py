"""Writes the generated parts of docs/: what stands between `<!-- generated: NAME -->` and `<!-- end -->` is the code's.

python tools/docs.py writes them. With --check it fails where a page is not current, and says which.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from btimd.cli import explain
from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.itsm.outbox import OutcomeKind
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind
from btimd.model.verdict import VerdictStatus
from btimd.probes import catalogue
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import MetricDescription, Metrics
from btimd.runtime.supervisor import Supervisor
from btimd.settings import tables
from btimd.settings.fields import Section
from btimd.settings.report import SettingsError
from tools.docs_incidents import ladder_block, roles_block, times_block
from tools.docs_settings import cell, reference, settings_tables
from tools.docs_texts import MEANINGS, MISTAKEN

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
TO_RUN: Final = "python tools/docs.py"
_BLOCK: Final = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LABELS: Final[Sequence[tuple[str, type[Enum]]]] = (
    ("`health` of `btimd_probes_results_total`", Health),
    ("`kind` of `btimd_probes_results_total` and `btimd_probes_cost_total`", CheckKind),
    ("`status` of `btimd_rca_verdicts_total`", VerdictStatus),
    ("`outcome` of `btimd_itsm_deliveries_total`", OutcomeKind),
)

# -- blocks: each returns what stands between its markers


def settings_block() -> str:
    """Return every table of btimd.toml."""
    parts = []
    for path, model in settings_tables():
        parts += [f"### `[{path}]`", "", reference(path, model), ""]
    return "\n".join(parts).rstrip()


def services_block() -> str:
    """Return every table of services.toml."""
    traffic = tuple(tables.Traffic.model_fields)

    def own(model: type[Section]) -> tuple[str, ...]:
        return tuple(key for key in model.model_fields if key not in traffic)

    parts = [
        "### `[service.ID]`: a business", "",
        reference("service.ID", tables.ServiceTable, own(tables.ServiceTable)), "",
        "With `prefixes` it is also the rule for its own traffic; the keys are those of traffic below.", "",
        "### `[rule.ID]`: traffic that one or several businesses own", "",
        reference("rule.ID", tables.RuleTable, own(tables.RuleTable)), "",
        "### Traffic: in `[service.ID]` and `[rule.ID]`", "", reference("traffic", tables.Traffic), "",
        "### `[node.ID]`: a component", "", reference("node.ID", tables.NodeTable), "",
        "### `[group.ID]`: businesses that belong together", "", reference("group.ID", tables.GroupTable), "",
        "### `[indicator.ID]`: an indicator of your own", "", reference("indicator.ID", tables.IndicatorTable), "",
        "### `[check.ID]`: something that can be asked of a node", "", reference("check.ID", tables.CheckTable),
    ]  # fmt: skip
    return "\n".join(parts)


def options_block() -> str:
    """Return the kinds of checks, what they are worth by default, and their options."""
    rows = ["| kind | cost | closure | budget | options |", "|---|---|---|---|---|"]
    for kind in catalogue.SPECS:
        options = "<br>".join(f"`{name}`: {meaning}" for name, meaning in catalogue.SPECS[kind].options.items())
        cost, closure, is_heavy = catalogue.defaults_for(kind)
        heavy = "heavy" if is_heavy else "light"
        rows.append(f"| `{kind}` | {cost:g} | {closure} | {heavy} | {options or 'none'} |")
    return "\n".join(rows)


def outcomes_block() -> str:
    """Return the table of outcomes from the catalogue of checks."""
    lines = [line for line in (catalogue.__doc__ or "").splitlines() if line.startswith("|")]
    known = {error.value for error in ErrorClass} | {"outcome", "---", "good"}
    if strangers := {line.split("|")[1].strip() for line in lines} - known:
        raise LookupError(f"the catalogue names outcomes that do not exist: {strangers}")
    return "\n".join(lines)


def mistakes_block() -> str:
    """Return files with mistakes, and what is said of them."""
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in MISTAKEN.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
            parts += [f"`{name}`:", "", "```csv" if name.endswith("csv") else "```toml", text.rstrip(), "```", ""]
        try:
            load_config(Path(folder))
        except SettingsError as error:
            found = [str(problem) for problem in error.problems]
        else:
            raise LookupError("the mistakes of MISTAKEN are none any more")
    return "\n".join([*parts, "`btimd check -c .` prints, and ends with status 2:", "", "```text", *found, "```"])


def explain_block() -> str:
    """Return what `btimd explain` says of the sample configuration."""
    config = load_config(ROOT / "config")
    parser = explain_parser()
    parts = []
    for command in ("flow 10.1.1.7 10.20.1.10 443", "flow 10.1.1.7 10.20.1.30 9999", "ip 10.1.1.7", "node db1"):
        options = parser.parse_args(["explain", *command.split(), "-c", "config"])
        lines = (
            explain.node_lines(config.services.graph, options.node)
            if options.what == "node"
            else explain.flow_lines(config, options)
        )
        parts += [f"$ btimd explain {command} -c config", *lines, ""]
    return "\n".join(["```text", *parts[:-1], "```"])


def explain_parser() -> argparse.ArgumentParser:
    """Return a parser of nothing but `explain`."""
    top = argparse.ArgumentParser()
    explain.add_parser(top.add_subparsers())
    return top


class _Ended:
    """A component that is done at once."""

    name = "none"

    async def start(self) -> None:
        """Take nothing."""

    async def run(self) -> None:
        """End."""

    async def stop(self) -> None:
        """Give nothing back."""

    def health(self) -> ComponentHealth:
        """Say that all is well."""
        return ComponentHealth()


def metrics_of_the_daemon() -> Sequence[MetricDescription]:
    """Return every metric of a daemon: those its parts make when built, and the supervisor's."""
    with tempfile.TemporaryDirectory() as folder:
        write_smallest_configuration(Path(folder))
        metrics: Metrics = App(load_config(Path(folder)), clock=ManualClock(), random=Random(1)).wired.metrics  # noqa: S311  nothing is secret here
    asyncio.run(Supervisor(ManualClock(), metrics, Log("docs")).supervise(_Ended()))
    return metrics.descriptions()


def write_smallest_configuration(folder: Path) -> None:
    """Write a configuration that listens on ports of the system's choice, on loopback."""
    (folder / "btimd.toml").write_text(
        '[daemon]\nstate_directory = "state"\n[capture.netflow]\nlisten = ["127.0.0.1:0"]\n'
        '[api]\ngrpc_listen = "127.0.0.1:0"\nhttp_listen = "127.0.0.1:0"\n',
        encoding="utf-8",
    )
    (folder / "services.toml").write_text("", encoding="utf-8")
    (folder / "ipplan.csv").write_text("prefix,region\n", encoding="utf-8")


def metrics_block() -> str:
    """Return every metric by package."""
    parts: list[str] = []
    package = ""
    for metric in sorted(metrics_of_the_daemon(), key=lambda metric: metric.name):
        first = metric.name.split("_")[1]
        if first != package:
            package = first
            parts += ["", f"### {package}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        parts.append(f"| `{metric.name}` | {metric.kind} | {labels} | {cell(metric.text.removesuffix('.'))} |")
    return "\n".join(parts[1:])


def labels_block() -> str:
    """Return the values of labels that come from a fixed list."""
    rows = ["| label | values |", "|---|---|"]
    rows += [f"| {where} | {', '.join(f'`{value.value}`' for value in values)} |" for where, values in _LABELS]
    return "\n".join(rows)


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings_block,
    "services": services_block,
    "check-options": options_block,
    "check-outcomes": outcomes_block,
    "mistakes": mistakes_block,
    "explain": explain_block,
    "metrics": metrics_block,
    "labels": labels_block,
    "incident-times": times_block,
    "incident-roles": roles_block,
    "escalation-ladder": ladder_block,
}


def render(page: str) -> str:
    """Return a page with its generated parts written anew; raises LookupError for a part that nobody makes."""

    def block(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:
            raise LookupError(f"nothing generates '{match[2]}'; known: {', '.join(BLOCKS)}")
        return f"{match[1]}\n{BLOCKS[match[2]]()}\n\n{match[3]}"

    return _BLOCK.sub(block, page)


def stale_meanings() -> list[str]:
    """Return the entries of MEANINGS that no key has."""
    models: list[tuple[str, type[Section]]] = [*settings_tables(), ("traffic", tables.Traffic)]
    models += [("service.ID", tables.ServiceTable), ("rule.ID", tables.RuleTable)]
    models += [("node.ID", tables.NodeTable), ("check.ID", tables.CheckTable)]
    models += [("group.ID", tables.GroupTable), ("indicator.ID", tables.IndicatorTable)]
    known = {f"{path}.{key}" for path, model in models for key in model.model_fields}
    return sorted(MEANINGS.keys() - known)


def main(arguments: Sequence[str]) -> int:
    """Write or check the pages."""
    if stale := stale_meanings():
        print(f"tools/docs.py explains keys that do not exist: {', '.join(stale)}")
        return 1
    status = 0
    for path in sorted(DOCS.glob("*.md")):
        page = path.read_text(encoding="utf-8")
        current = render(page)
        if page == current:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not current; run {TO_RUN}")
            status = 1
        else:
            path.write_text(current, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

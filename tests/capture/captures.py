"""The captures of real devices beside the project, and how tests reach them."""

import csv
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FLOWS = DATA / "flows"
TOOLS = DATA / "flows_exported_by_tools"
WHY_SKIPPED = f"the captures are not published with the project: {DATA} is absent"

needs_captures = pytest.mark.skipif(not FLOWS.is_dir(), reason=WHY_SKIPPED)


def flow_captures() -> list[Path]:
    """Return the captures of NetFlow and IPFIX; sFlow ones are left out."""
    return [
        path
        for path in sorted(FLOWS.glob("*.pcap"))
        if '"v":"sflow5"' not in path.with_name(f"{path.stem}.golden.jsonl").read_text()
    ]


def golden_sflow_captures() -> list[Path]:
    """Return the captures of sFlow whose samples are written down."""
    others = set(flow_captures())
    return [path for path in sorted(FLOWS.glob("*.pcap")) if path not in others]


def sflow_captures() -> list[Path]:
    """Return all captures of sFlow."""
    return [*golden_sflow_captures(), *sorted(TOOLS.glob("*sfprobe*.pcap"))]


def sflow_truth() -> dict[str, dict[str, str]]:
    """Return the counts of every capture of sFlow, by file: data_records, and what sampling stands for."""
    truth: dict[str, dict[str, str]] = {}
    for folder, column in ((FLOWS, "scenario"), (TOOLS, "file")):
        with (folder / "ground_truth.csv").open() as file:
            rows = {row[column].replace("/", "__"): row for row in csv.DictReader(file) if "sflow" in row["versions"]}
        truth |= rows
    return truth


def tool_truth() -> dict[str, dict[str, str]]:
    """Return what softflowd and pmacctd exported, by file; sFlow left out."""
    path = TOOLS / "ground_truth.csv"
    if not path.is_file():
        return {}
    with path.open() as file:
        return {row["file"]: row for row in csv.DictReader(file) if "sflow" not in row["versions"]}

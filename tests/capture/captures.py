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


def tool_truth() -> dict[str, dict[str, str]]:
    """Return what softflowd and pmacctd exported, by file; sFlow left out."""
    path = TOOLS / "ground_truth.csv"
    if not path.is_file():
        return {}
    with path.open() as file:
        return {row["file"]: row for row in csv.DictReader(file) if "sflow" not in row["versions"]}

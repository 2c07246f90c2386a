import json
import subprocess
import sys

import pytest

from bench.span import beyond
from tests.programs import need_as_root


def test_a_budget_that_is_not_kept_is_told() -> None:
    found = {
        "file": {"ratios": {"softflowd": 7.9, "nfpcapd": 12.0, "pmacctd trivial": 2.0}},
        "live": {"trials": [{"tool": "btimd", "lost": 3}]},
        "memory": {"peak_megabytes": 1_000.0},
    }
    assert beyond(found) == [
        "file: 7.9 times as fast as the best peer, budget 8.0",
        "live: 3 packets lost, budget 0",
        "memory: 1000 MB, budget 900",
    ]
    assert beyond({}) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_comparison_runs_with_few_packets() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.span", "--only", "file", "--packets", "20000", "--quick", "--json"],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["file"]["packets"] == 20_000
    assert found["file"]["stages"].keys() == {"table", "cells", "quality"}


@pytest.mark.net
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_live_loses_nothing_of_few_packets() -> None:
    need_as_root("ip")
    done = subprocess.run(
        [sys.executable, "-m", "bench.span", "--only", "live", "--packets", "20000", "--quick", "--json"],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    ours = json.loads(done.stdout)["live"]["trials"][0]
    assert (ours["tool"], ours["counted"], ours["lost"], ours["reported"]) == ("btimd", 20_000, 0, 0)

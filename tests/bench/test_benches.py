"""Each bench still runs; what it measures with so few records means nothing."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = sorted(path.stem for path in Path("bench").glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_can_be_imported(name: str) -> None:
    importlib.import_module(f"bench.{name}")


@pytest.mark.slow
def test_the_comparison_runs_with_few_records() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.flows", "--only", "steady", "--records", "20000", "--quick", "--json"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [each["records"] for each in found["steady"]] == [16_384]
    assert found["steady"][0]["stages"].keys() == {"read", "decode", "attribute", "windows", "close"}


@pytest.mark.slow
def test_the_bench_of_the_stages_runs_with_few_records() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.flows", "0.02", "--check-millions", "0.01"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "every cell of the first 8,192 records equals the truth"

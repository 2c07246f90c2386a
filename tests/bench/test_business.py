import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_bench_of_businesses_runs_with_few_users() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.business", "--quick", "--json"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [(one["max_cells"], one["cells"]) for one in found["windows"]] == [
        (512, 400)
    ]  # 20 businesses, each used from all 20 places
    assert {"10 s", "60 s"} == found["windows"][0]["levels"].keys()
    assert found["questions"]["columns"]["rows"] == found["users"] == 5_000

"""btimd rca selftest: the diagnosis is tried on the site's own model."""

import json
import re
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from tests.daemon.small import services_text, write_small


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["rca", "selftest", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_it_tells_what_a_diagnosis_would_take_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    services = services_text() + '[node.spare]\nkind = "host"\nname = "Spare"\n'
    folder = str(write_small(tmp_path, services=services))
    status, out, err = run(capsys, "-c", folder, "--incidents", "30")
    words = [re.split(r"  +", line)[0] for line in out.splitlines()]

    assert (status, err) == (0, "")
    assert words == [
        "3 nodes, 2 probes, 1 indicators",
        "",
        "incidents",
        "probes, mean",
        "probes, median",
        "probes, 95th percentile",
        "rounds, mean",
        "a cause ranked first",
        "a cause among the first three",
        "k causes found among the first k",
        "among the first k + 2",
        "set found is the truth",
        "set found holds causes only",
        "confident",
        *[line for line in words if line.startswith("of these: ")],
        "computing per round, median",
        "computing per round, 95th percentile",
        "",
        "a fault there is noticed by nothing:",
        "",
        "",
        "no check asks them:",
        "",
    ]
    assert out.count("\n  spare\n") == 2


def test_as_json_it_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "-c", str(write_small(tmp_path)), "--incidents", "20", "--regime", "clean", "--json")
    found = json.loads(out)

    assert (found["incidents"], found["scored"], found["nodes"]) == (20, 20, 2)
    assert (found["unnoticed"], found["unprobed"], found["alike"]) == ([], [], [])
    assert len(found["fitted"]["raw"]) == len(found["fitted"]["confidence"]) >= 2


def test_more_faults_than_nodes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "-c", str(write_small(tmp_path)), "--faults", "3") == (
        2, "", "services.toml: an indicator notices the failure of 2 nodes; 3 are needed\n"
    )  # fmt: skip


def test_a_long_list_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spares = "".join(f'[node.spare{number}]\nkind = "host"\nname = "Spare"\n' for number in range(12))
    _, out, _ = run(capsys, "-c", str(write_small(tmp_path, services=services_text() + spares)), "--incidents", "2")

    assert out.count("  and 2 more (--json lists all)\n") == 2

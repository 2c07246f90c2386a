"""btimd rca: worlds are drawn, incidents are diagnosed and scored, mistakes in files are told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from btimd.cli.btimd import main
from tests.rca.fileworlds import DATABASE_DOWN, shop

TRUTH: list[dict[str, Any]] = [
    {"id": 1, "symptoms": ["shop@north", "shop@south"], "outcomes": DATABASE_DOWN, "causes": ["db"]},
    {"id": "2b", "symptoms": ["shop@north"], "outcomes": {"gate/icmp": "bad"}, "causes": ["gate"]},
    {
        "id": 3,
        "symptoms": ["shop@north", "shop@south"],
        "outcomes": {"web/http": "unknown"},
        "causes": ["host-1", "db"],
    },
]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "M.json").write_text(json.dumps(shop(), indent=1))
    (tmp_path / "T.json").write_text(json.dumps(TRUTH))
    return ["--model", str(tmp_path / "M.json"), "--truth", str(tmp_path / "T.json")]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["rca", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """Return the JSON lines, without what differs from run to run."""
    status, out, err = run(capsys, *arguments, "--json")
    assert (status, err) == (0, "")
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    for line in lines:
        for key in ("seconds", "mean_seconds", "p50_step_ms", "p95_step_ms", "model_seconds", "rss_mb"):
            assert line.pop(key, 0.0) >= 0.0
    return lines


def test_a_line_per_incident_and_one_that_sums_up(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "simulate", *files, "--policy", "bisection") == [
        {"id": 1, "ranked": ["db"], "set": ["db"], "confidence": 1.0,
         "probes": ["app-1/http", "app-1/tcp", "host-3/icmp"], "rounds": 3},
        {"id": "2b", "ranked": ["gate"], "set": ["gate"], "confidence": 1.0,
         "probes": ["app-1/http", "app-2/http", "web/http", "gate/icmp"], "rounds": 4},
        {"id": 3, "ranked": ["web", "shop"], "set": ["web"], "confidence": 0.6667,
         "probes": ["app-1/http", "app-2/http", "web/http"], "rounds": 3},
        {"incidents": 3, "mean_probes": 3.3333, "p50_probes": 3.0, "p95_probes": 3.9, "mean_rounds": 3.3333,
         "mean_cost": 10.5, "scored": 3, "top1": 0.6667, "top3": 0.6667, "recall_k": 0.6667, "recall_k2": 0.6667,
         "exact": 0.6667, "confident": 0.6667, "confident_exact": 1.0, "confident_top1": 1.0,
         "confident_probes": 3.5,
         "calibration": [{"from": 0.6, "number": 1, "confidence": 0.6667, "right": 0.0},
                         {"from": 0.9, "number": 2, "confidence": 1.0, "right": 1.0}],
         "policy": "bisection", "nodes": 9},
    ]  # fmt: skip


def test_people_get_a_table_and_what_it_comes_to(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "simulate", *files, "--policy", "top-down")
    shown = re.sub(r"[\d.]+ (ms|s|MB)\n", r"# \1\n", "".join(f"{line.rstrip()}\n" for line in out.splitlines()))

    assert (status, err) == (0, "")
    assert (
        shown
        == """\
incident  found  sure  probes  rounds  truth
1         db     100%       9       4  right
2b        gate   100%       1       1  right
3         shop   100%       5       2  host-1, db; none among the first 10

incidents                                 3
probes, mean                              5
probes, median                            5
probes, 95th percentile                   8.6
rounds, mean                              2.3333
a cause ranked first                      66.7%
a cause among the first three             66.7%
k causes found among the first k          66.7%
among the first k + 2                     66.7%
set found is the truth                    66.7%
confident                                 100.0%
confident and right                       66.7%
computing per round, median               # ms
computing per round, 95th percentile      # ms
building the model                        # s
memory at most                            # MB
"""
    )


@pytest.mark.parametrize("policy", ["adaptive", "everything", "random", "pre-planned"])
def test_every_way_finds_the_database(policy: str, files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "simulate", *files, "--policy", policy, "--limit", "1")

    assert [line.get("set") for line in lines] == [["db"], None]
    assert (lines[1]["incidents"], lines[1]["exact"], lines[1]["policy"]) == (1, 1.0, policy)


def test_adaptive_is_what_runs_when_nothing_is_said(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "simulate", *files, "--max-probes", "2", "--batch", "1")[-1]["policy"] == "adaptive"


def test_without_a_truth_there_are_no_scores(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untold = [{key: value for key, value in one.items() if key != "causes"} for one in TRUTH[:1]]
    (tmp_path / "T.json").write_text(json.dumps(untold))

    assert told(capsys, "simulate", *files, "--policy", "bisection")[-1] == {
        "incidents": 1, "mean_probes": 3.0, "p50_probes": 3.0, "p95_probes": 3.0, "mean_rounds": 3.0,
        "mean_cost": 6.5, "scored": 0, "policy": "bisection", "nodes": 9,
    }  # fmt: skip
    assert "not told" in run(capsys, "simulate", *files, "--policy", "bisection")[1]


def test_mistakes_are_told_with_file_and_line(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shop()
    model["nodes"][2]["kind"] = 7
    model["edges"][0]["to"] = "nowhere"
    (tmp_path / "M.json").write_text(json.dumps(model, indent=1))

    assert run(capsys, "simulate", *files) == (2, "", (
        "M.json:11: nodes[2].kind: must be a text that is not empty, not 7\n"
        "M.json:41: edges[0].to: no node has the id 'nowhere'; add it to nodes or correct this\n"
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"\xff{}", "{path}: is no UTF-8 text at octet 0"),
        (None, "{path}: cannot be read: No such file or directory"),
        (b"[", "M.json:1: a model is a JSON object with nodes, edges, probes and indicators"),
    ],
)
def test_what_cannot_be_read_is_told(
    octets: bytes | None, error: str, files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "M.json"
    path.unlink() if octets is None else path.write_bytes(octets)

    assert run(capsys, "simulate", *files) == (2, "", error.format(path=path) + "\n")


def test_a_file_of_mistakes_is_not_listed_to_the_end(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "T.json").write_text("[" + ",\n".join(["7"] * 80) + "]")
    lines = run(capsys, "simulate", *files)[2].splitlines()

    assert len(lines) == 51
    assert lines[-1] == "T.json:50: ~: there may be more; only the first mistakes are listed"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["world", "--nodes", "200", "--out", "x"], "200 nodes; 300 to 1000000 are possible"),
        (["world", "--incidents", "0", "--out", "x"], "'0' is no whole number above 0"),
        (["simulate", "--confidence", "2", "--model", "x", "--truth", "y"], "'2' is no number above 0 and at most 1"),
        (["simulate", "--confidence", "high", "--model", "x", "--truth", "y"], "'high' is no number above 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rca", *arguments])

    assert ended.value.code == 2
    assert error in capsys.readouterr().err


@pytest.mark.slow
def test_a_world_is_drawn_and_diagnosed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "world"
    drawn = run(capsys, "world", "--nodes", "400", "--incidents", "4", "--faults", "2", "--out", str(folder))
    files = ["--model", str(folder / "M.json"), "--truth", str(folder / "T.json")]
    lines = told(capsys, "simulate", *files)

    assert (drawn[0], drawn[2]) == (0, "")
    assert re.fullmatch(
        rf"{folder}/M.json: 400 nodes, \d+ edges, \d+ probes, \d+ indicators\n"
        rf"{folder}/T.json: 4 incidents of 2 faults each\n", drawn[1]
    )  # fmt: skip
    assert [line.get("id") for line in lines] == [1, 2, 3, 4, None]
    assert (lines[-1]["incidents"], lines[-1]["scored"]) == (4, 4)


def test_a_world_is_not_written_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "T.json").write_text("mine")

    assert run(capsys, "world", "--out", str(tmp_path)) == (
        2, "", f"{tmp_path}/T.json: exists already; name another folder or remove it\n"
    )  # fmt: skip
    assert (tmp_path / "T.json").read_text() == "mine"

"""btimd plan show, check, diff: whole answers."""

import json
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from tests.daemon.small import services_text, write_small


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def out(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_the_lines_of_a_plan_are_shown_nested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "show", "-c", str(write_small(tmp_path))]) == 0

    assert out(capsys) == [
        "line  prefix           addresses  region  segment  person",
        "   2  10.1.0.0/16          65536  north   -        -",
        "   3    10.1.1.0/24          256  north   sales    -",
        "   4      10.1.1.7/32          1  north   sales    Li Wei",
    ]


def test_a_plan_is_shown_as_json_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("prefix,region\n2001:db8::/32,v6\n")

    assert main(["plan", "show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "line": 2, "prefix": "2001:db8::/32", "family": 6, "host_bits": 96, "region": "v6", "segment": "", "person": "",
    }  # fmt: skip


def test_what_is_doubtful_is_told_and_what_is_wrong_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_small(tmp_path)
    assert main(["plan", "check", "-c", str(folder)]) == 0
    assert out(capsys) == [
        "severity  where            what",
        "note      services.toml:5  10.2.0.10/32, a server of rule erp, is not in the plan; add a line, so that what the server",
        "                           itself asks of others has a place",
    ]
    services = services_text().replace('needs = ["db1"]', 'needs = ["db1"]\nregions = ["nroth"]')
    (folder / "services.toml").write_text(services)
    assert main(["plan", "check", "-c", str(folder), "--json"]) == 1
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["unknown-region", "server-not-in-plan"]


def test_a_plan_that_is_right_has_nothing_to_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_small(tmp_path, plan="prefix,region\n10.1.0.0/16,north\n10.2.0.0/16,south\n")

    assert main(["plan", "check", "-c", str(folder)]) == 0
    assert out(capsys) == ["nothing is wrong or doubtful"]


def test_two_plans_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("prefix,region,segment\n10.1.0.0/16,north,\n10.2.0.0/16,south,yard\n")
    new.write_text("prefix,region,segment\n10.1.0.0/16,north,\n10.2.0.0/16,east,yard\n10.3.0.0/16,east,\n")

    assert main(["plan", "diff", str(old), str(new)]) == 1
    assert out(capsys) == [
        "lines: 1 added, 1 changed; (no region) -> east: 65536 addresses, 0 known clients; south -> east: 65536 addresses, 0 known clients",
        "  (no region) -> east: 65536 addresses",
        "  south -> east: 65536 addresses",
        "~ 10.2.0.0/16  south / yard / - -> east / yard / -",
        "+ 10.3.0.0/16  east / - / -",
    ]
    assert main(["plan", "diff", str(old), str(old)]) == 0
    assert out(capsys) == ["nothing changed"]
    assert main(["plan", "diff", str(old), str(new), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["added"] == 1


def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("net,region\n10.0.0.0/8,a\n")

    assert main(["plan", "show", str(path)]) == 2
    assert "x.csv:1: unknown column 'net'" in capsys.readouterr().err

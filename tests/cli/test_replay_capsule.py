"""`btimd replay` of kept diagnoses."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.cli.replay_capsule import is_capsule
from btimd.rca.capsulefiles import encode
from tests.fakes.diagnoses import shop_capsule


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "D1.capsule.json.gz"
    path.write_bytes(encode(shop_capsule()))
    return path


def run(*arguments: object) -> int:
    return main(["replay", *map(str, arguments)])


def test_the_same_verdict_is_told_and_ends_with_0(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file) == 0
    out, err = capsys.readouterr()
    assert ("The verdict" in out, err) == (True, "same verdict\n")


def test_json_is_the_story(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--json", "--graph", file.with_suffix(".svg")) == 0
    assert json.loads(capsys.readouterr().out)["verdict"]["cause"] == "db1"
    assert file.with_suffix(".svg").read_text().endswith("</svg>\n")


def test_another_verdict_is_told_in_words_and_ends_with_1(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsule = shop_capsule()
    told = replace(capsule.verdict, cause="host-db", path=())
    file.write_bytes(encode(replace(capsule, verdict=told)))
    assert run(file, "--lang", "zh") == 1
    assert "cause: host-db before, db1 now" in capsys.readouterr().err
    file.write_bytes(encode(replace(capsule, complete=False)))
    assert run(file) == 1
    assert "cannot be made again" in capsys.readouterr().err


def test_with_other_answers_another_verdict_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--what-if", "host-db-icmp=bad") == 1
    out, err = capsys.readouterr()
    assert err.startswith("with these answers, another verdict:\n  cause: db1 before, host-db now\n")
    assert "assumed to be bad" in out


@pytest.mark.parametrize("data", [b"", b"hello", gzip.compress(b"{}", mtime=0)])
def test_what_is_no_capsule_ends_with_2(file: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(data)
    assert run(file) == 2
    assert "is no capsule of a diagnosis" in capsys.readouterr().err


def test_what_cannot_be_assumed_or_drawn_ends_with_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--what-if", "nope=bad") == 2
    assert "has no check nope" in capsys.readouterr().err
    assert run(file, "--graph", "a.png") == 2
    assert "neither in .svg nor in .dot" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(file, "--what-if", "nope")
    assert "say CHECK=good" in capsys.readouterr().err


def test_a_capsule_is_known_by_name_or_content(tmp_path: Path, file: Path) -> None:
    plain = tmp_path / "capture.pcap"
    plain.write_bytes(b"\xd4\xc3\xb2\xa1")
    renamed = tmp_path / "renamed"
    renamed.write_bytes(file.read_bytes())
    found = [is_capsule(path) for path in (file, renamed, plain, tmp_path / "none", tmp_path / "none.capsule.json.gz")]
    assert found == [True, True, False, False, True]

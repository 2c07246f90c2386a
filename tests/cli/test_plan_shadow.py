"""btimd plan shadow on a capture of flow export and on an archive."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from btimd.cli import plan_shadow
from btimd.cli.btimd import main
from btimd.model.flowbatch import FlowBatch
from btimd.runtime.clock import ManualClock
from tests.cli.test_replay import IPFIX, NETFLOW, capture, packet
from tests.daemon.small import PLAN, services_text, write_small


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    capture(tmp_path / "export.pcap", [packet(NETFLOW), packet(IPFIX)])
    (tmp_path / "new.csv").write_text(PLAN.replace("10.1.1.0/24,,sales", "10.1.1.0/24,east,sales"))
    return write_small(tmp_path)


def run(folder: Path, *more: str) -> int:
    return main(["plan", "shadow", str(folder / "new.csv"), "-c", str(folder), *more])


def test_a_new_plan_is_tried_out_on_a_capture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--capture", str(folder / "export.pcap")) == 1

    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "3 records, 51.1 kB: 3 (100.0%) would count elsewhere, 51.1 kB",
        "attributed now and not then: 0; then and not now: 0",
        "clients that the plan does not know: 0 now, 0 then",
        "",
        "business region octets now then users now users then",
        "erp east 0 B 51 kB 0 1",
        "erp north 51 kB 0 B 1 0",
        "(none) east 0 B 60 B 0 1",
        "(none) north 60 B 0 B 1 0",
        "",
        "from to octets records for example",
        "erp @ north erp @ east 51 kB 2 10.1.1.7 to 10.2.0.10 port 443 protocol 6",
        "(none) @ north (none) @ east 60 B 1 10.1.1.7 to 10.2.0.10 port 80 protocol 6",
    ]


def test_new_rules_are_tried_out_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "new.csv").write_text(PLAN)
    (folder / "new.toml").write_text(services_text().replace("ports = [443]", "ports = [80]"))
    line = ("--capture", str(folder / "export.pcap"), "--services", str(folder / "new.toml"), "--json")

    assert run(folder, *line) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["newly_unattributed"], found["newly_attributed"], found["records"]) == (2, 1, 3)


def test_the_same_plan_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "new.csv").write_text(PLAN)

    assert run(folder, "--capture", str(folder / "export.pcap")) == 0
    assert "3 records, 51.1 kB: 0 (0.0%) would count elsewhere, 0 B" in capsys.readouterr().out


def test_what_does_not_fit_is_summed_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--capture", str(folder / "export.pcap"), "--limit", "1") == 1

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert "and 3 more; --limit shows them" in lines
    assert lines[-1] == "and other moves: 1 records, 60 B"


def test_every_mistake_of_the_new_files_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "new.csv").write_text("prefix,region\n10.0.0.1/8,a\n")
    (folder / "new.toml").write_text("[service.x]\n")

    assert run(folder, "--capture", "none", "--services", str(folder / "new.toml")) == 2
    told = capsys.readouterr().err
    assert "new.csv:2: 10.0.0.1/8 has host bits; write 10.0.0.0/8" in told
    assert "new.toml:1: service.x.name: is missing" in told
    (folder / "new.csv").write_text(PLAN)
    assert run(folder, "--capture", str(folder / "none.pcap")) == 2


class Reader:
    """Stands for the archive."""

    asked: list[tuple[Path, int, int]] = []  # noqa: RUF012  shared on purpose

    def __init__(self, path: Path) -> None:
        self._path = path

    def records(self, from_milliseconds: int, to_milliseconds: int) -> Iterator[FlowBatch]:
        self.asked.append((self._path, from_milliseconds, to_milliseconds))
        yield FlowBatch.zeros(0)


def test_the_archive_is_asked_for_the_time_that_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("btimd.store.archivesource")
    module.ArchiveReader = Reader  # type: ignore[attr-defined]  # it is made here
    monkeypatch.setitem(sys.modules, "btimd.store.archivesource", module)
    monkeypatch.setattr(plan_shadow, "SystemClock", ManualClock)

    assert run(folder, "--since", "10m") == 0
    assert "no records: nothing was compared" in capsys.readouterr().out
    assert Reader.asked == [(folder / "state" / "archive", 1_699_999_400_000, 1_700_000_000_000)]


def test_without_an_archive_a_capture_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "btimd.store.archivesource", None)

    assert run(folder) == 2
    assert "give a capture of flow export: --capture FILE" in capsys.readouterr().err

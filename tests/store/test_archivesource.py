"""The archive as a source of records and conversations, without a daemon."""

from pathlib import Path

import numpy as np
import pytest

from btimd.model.address import address_text
from btimd.model.flowbatch import FlowBatch
from btimd.store import archivesource
from btimd.store.archivesource import ArchiveReader
from tests.store.archives import Filled
from tests.store.records import HOUR, answer, record

EVER = (0, 2**60)


def conversations(path: Path, span: tuple[int, int] = EVER, *, limit: int = 100) -> list[tuple[object, ...]]:
    found = ArchiveReader(path).conversations(*span, limit)
    return [
        (
            address_text(int(found.client_hi[row]), int(found.client_lo[row])),
            address_text(int(found.server_hi[row]), int(found.server_lo[row])),
            int(found.server_port[row]),
            found.rules[found.rule_id[row]] if found.rule_id[row] >= 0 else "",
            *(int(column[row]) for column in (found.flows, found.octets, found.answered)),
        )
        for row in range(len(found))
    ]


def test_no_archive_is_an_empty_one(tmp_path: Path) -> None:
    reader = ArchiveReader(tmp_path / "nothing")
    assert list(reader.records(*EVER)) == []
    assert len(reader.conversations(*EVER, 10)) == 0
    assert reader.bad == {}


def test_hours_of_which_nothing_is_kept_open_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(archivesource, "connect", lambda **_: opened.append(1))
    assert (list(ArchiveReader(tmp_path).records(0, 3 * HOUR)), opened) == ([], [])


def test_records_are_those_that_began_in_the_time_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archivesource, "BATCH_ROWS", 3)
    records = [record(start=HOUR + number, exporter=number % 2) for number in range(10)]
    Filled(tmp_path).part(*records, record(duplicate=True)).merged()
    reader = ArchiveReader(tmp_path)
    batches = list(reader.records(HOUR + 2, HOUR + 9))
    whole = FlowBatch.concat(batches)
    assert sorted(whole["flow_start_milliseconds"].tolist()) == [HOUR + number for number in range(2, 9)]
    assert max(map(len, batches)) <= 3
    named = {reader.exporters[one] for one in whole["exporter_id"].tolist()}
    assert named == {"core-1", "10.9.9.9"}


def test_both_directions_are_one_conversation_of_which_the_rule_says_who_serves(tmp_path: Path) -> None:
    request = record(rate=10)
    Filled(tmp_path).part(request, answer(request, octets=900), record(source_port=41000)).merged()
    assert conversations(tmp_path) == [("10.1.0.5", "10.2.0.10", 443, "erp-web", 2, 10_100, 1)]


def test_without_a_rule_the_lower_port_serves_whoever_spoke_first(tmp_path: Path) -> None:
    one = record(rule=-1, source="10.0.0.1", source_port=5000, destination="10.0.0.2", destination_port=6000)
    ping = record(rule=-1, protocol=1, source="10.0.0.9", source_port=0, destination="10.0.0.3", destination_port=2048)
    pong = answer(ping, source_port=0, destination_port=0, from_client=True)
    same = record(rule=-1, source="10.0.0.7", source_port=7000, destination="10.0.0.8", destination_port=7000)
    Filled(tmp_path).part(one, answer(one, from_client=True), ping, pong).part(same, answer(same, from_client=True))
    assert conversations(tmp_path) == [
        ("10.0.0.2", "10.0.0.1", 5000, "", 1, 200, 1),
        ("10.0.0.8", "10.0.0.7", 7000, "", 1, 200, 1),
        ("10.0.0.9", "10.0.0.3", 0, "", 1, 200, 1),
    ]


def test_more_conversations_than_asked_for_are_those_with_the_most_flows(tmp_path: Path) -> None:
    many = [record(source="10.1.0.6")] * 3
    Filled(tmp_path).part(record(), *many, record(start=HOUR + 3_600_000, source="10.1.0.7"))
    found = ArchiveReader(tmp_path).conversations(*EVER, 1)
    assert (len(found), found.truncated, found.flows.tolist()) == (1, True, [3])
    assert [row[0] for row in conversations(tmp_path, (HOUR + 3_600_000, HOUR + 7_200_000))] == ["10.1.0.7"]


def test_sums_that_no_counter_holds_end_at_its_edge(tmp_path: Path) -> None:
    huge = record(octets=2**62, rate=2**31 - 1)
    Filled(tmp_path).part(huge, huge)
    found = ArchiveReader(tmp_path).conversations(*EVER, 10)
    assert found.octets.tolist() == [2**63 - 1]
    assert found.octets.dtype == np.int64


def test_parts_put_together_while_they_are_read_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = Filled(tmp_path).part(record()).part(record())
    reader = ArchiveReader(tmp_path)
    listed = reader.folder.files
    calls = []

    def files(hour: int) -> object:
        found = listed(hour)
        calls.append(hour)
        if len(calls) == 1:
            filled.merged()
        return found

    monkeypatch.setattr(reader.folder, "files", files)
    assert reader.conversations(*EVER, 10).flows.tolist() == [2]
    assert reader.bad == {}

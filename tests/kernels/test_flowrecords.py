import itertools
import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.records import RawDecoder
from btimd.capture.wire.sflowrecords import SflowSample
from btimd.model.address import address_text
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from tests.capture import captures
from tests.capture.wire.crafting import (
    ARRIVAL,
    EXPORTED_AT,
    PLAIN,
    block,
    ipfix,
    one_set,
    options_template,
    plain_record,
    template,
    v5,
    v5_record,
    v9,
)  # fmt: skip
from tests.kernels.oracle_flowrecords import Oracle, Row

CAPTURES = [*captures.flow_captures(), *(captures.TOOLS / f"{name}.pcap" for name in captures.tool_truth())]


def rows_of(batch: FlowBatch, decoder: FlowDecoder) -> list[Row]:
    addresses = [exporter.address for exporter in decoder.exporters()]
    return [
        {
            "exporter": addresses[row["exporter_id"]], "domain": row["observation_domain_id"],
            "start": row["flow_start_milliseconds"], "end": row["flow_end_milliseconds"],
            "source": address_text(row["source_address_hi"], row["source_address_lo"]),
            "destination": address_text(row["destination_address_hi"], row["destination_address_lo"]),
            "sport": row["source_transport_port"], "dport": row["destination_transport_port"],
            "protocol": row["protocol_identifier"], "class": row["ip_class_of_service"],
            "flags": row["tcp_control_bits"], "ingress": row["ingress_interface"], "egress": row["egress_interface"],
            "vlan": row["vlan_id"], "direction": row["flow_direction"], "octets": row["octet_delta_count"],
            "packets": row["packet_delta_count"], "rate": row["sampling_rate"],
        }
        for row in batch.rows()
    ]  # fmt: skip


def oracle_rows(blocks: list[DatagramBlock], shortest: int = 8) -> tuple[list[Row], RawDecoder]:
    raw, oracle = RawDecoder(), Oracle(shortest)
    rows: list[Row] = []
    for item in blocks:
        for index, (begin, end) in enumerate(itertools.pairwise(item.offsets)):
            exporter = address_text(int(item.source_hi[index]), int(item.source_lo[index]))
            for record in raw.decode(item.slab[begin:end].tobytes(), exporter):
                assert not isinstance(record, SflowSample)
                rows += oracle.rows(record, exporter, int(item.arrival_milliseconds[index]))
    return rows, raw


def in_order(rows: list[Row]) -> list[list[tuple[str, str]]]:
    return sorted([(key, str(value)) for key, value in sorted(row.items())] for row in rows)


@captures.needs_captures
@pytest.mark.bounds
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_the_columns_are_what_plain_python_makes_of_the_same_capture(path: Path) -> None:
    blocks = list(CaptureFile(path).blocks())
    wanted, raw = oracle_rows(blocks)
    decoder = FlowDecoder()
    found = rows_of(FlowBatch.concat([decoder.decode(item) for item in blocks]), decoder)
    if decoder.counters.replayed_sets:  # the oracle keeps nothing that came before its template
        kept = in_order(found)
        assert all(row in kept for row in in_order(wanted))
        assert raw.counters.sets_without_template >= decoder.counters.replayed_sets
        return
    assert in_order(found) == in_order(wanted)


FIELDS = st.sampled_from([
    (8, 4), (12, 4), (27, 16), (28, 16), (7, 2), (11, 2), (4, 1), (5, 1), (6, 1), (6, 2), (10, 2), (10, 4), (14, 4),
    (58, 2), (61, 1), (1, 4), (1, 8), (1, 3), (2, 4), (2, 8), (85, 8), (86, 5), (23, 4), (231, 4), (232, 4), (298, 4),
    (299, 4), (152, 8), (153, 8), (150, 4), (151, 4), (154, 8), (155, 8), (156, 8), (158, 4), (159, 4), (22, 4),
    (21, 4), (160, 8), (34, 4), (50, 4), (305, 4), (306, 4), (48, 1), (302, 8), (323, 8), (322, 4), (210, 3), (96, 0),
    (1, 8, 29305), (2, 8, 29305), (86, 4, 29305), (152, 8, 29305), (6, 1, 29305), (40, 4, 6871), (82, 65535),
    (1, 65535), (8, 65535), (243, 2), (254, 2), (32, 2), (139, 2), (176, 1), (177, 1), (178, 1), (179, 1), (352, 8),
    (233, 1), (225, 4), (95, 4), (70, 3), (89, 1), (225, 65535),
])  # fmt: skip


@pytest.mark.bounds
@settings(max_examples=150)
@given(fields=st.lists(FIELDS, min_size=1, max_size=24), seed=st.integers(0, 2**32), is_ipfix=st.booleans(),
       small=st.booleans())  # fmt: skip
@example(fields=[(8, 4), (232, 4), (158, 4), (152, 8, 29305)], seed=0, is_ipfix=True, small=True)  # half a reverse time
@example(fields=[(23, 4), (232, 4)], seed=0, is_ipfix=False, small=False)  # a responder's counter beside another kind
def test_any_template_gives_what_plain_python_makes_of_it(
    fields: list[tuple[int, ...]], seed: int, is_ipfix: bool, small: bool
) -> None:
    chance = random.Random(seed)
    if not is_ipfix:
        fields = [field[:2] for field in fields]
    if small:
        fields = [(element, 4 if length == 8 else length, *rest) for element, length, *rest in fields]
    records = b""
    for _ in range(chance.randrange(6)):
        for element, length, *_ in fields:
            size = (
                length
                if length != 65535
                else chance.choice({1: [1, 4, 8], 8: [4], 225: [4, 16], 82: [0, 1, 254, 255, 300]}[element])
            )
            value = chance.randbytes(size) if chance.random() < 0.8 else bytes(size)
            if element in {150, 151, 322} and size == 4:
                value = (EXPORTED_AT - chance.randrange(100)).to_bytes(4, "big")
            if element in {152, 153, 323, 160} and size == 8:
                value = (EXPORTED_AT * 1000 - chance.randrange(10**5)).to_bytes(8, "big")
            if element in {34, 50, 305, 306} and size == 4:
                value = chance.randrange(5000).to_bytes(4, "big")
            if length == 65535:
                records += bytes([size]) if size < 255 else b"\xff" + size.to_bytes(2, "big")
            records += value
    sets = [one_set(2 if is_ipfix else 0, template(300, fields, ipfix=is_ipfix)), one_set(300, records)]  # type: ignore[arg-type]
    item = block(ipfix(*sets) if is_ipfix else v9(*sets))
    wanted, raw = oracle_rows([item], shortest=0)
    decoder = FlowDecoder()
    found = rows_of(decoder.decode(item), decoder)
    minimum = sum(1 if length == 65535 else length for _, length, *_ in fields)
    if minimum < 8:
        assert found == []
        return
    assert in_order(found) == in_order(wanted)
    assert not raw.counters.errors


def sample() -> list[bytes]:
    varied = ((8, 4), (12, 4), (82, 65535), (1, 4), (1, 8, 29305))
    record = bytes([10, 0, 0, 1, 10, 2, 0, 10, 3]) + b"eth" + bytes([0, 0, 1, 0]) + bytes(7) + b"\5"
    return [
        v9(one_set(0, template(256, PLAIN)), one_set(256, plain_record(), plain_record(), padding=b"\0\0")),
        v9(one_set(1, options_template(257, [(1, 4)], [(48, 1), (50, 4)])), one_set(257, bytes(8) + b"\x64")),
        ipfix(one_set(2, template(258, varied, ipfix=True)), one_set(258, record, record)),
        v5(v5_record(), v5_record()),
    ]


@pytest.mark.bounds
@pytest.mark.parametrize("number", range(4))
def test_a_datagram_cut_off_anywhere_gives_no_more_records_and_no_error(number: int) -> None:
    whole = sample()[number]
    most = len(FlowDecoder().decode(block(whole)))
    for size in range(len(whole)):
        decoder = FlowDecoder()
        batch = decoder.decode(block(whole[:size]))
        assert len(batch) <= most
        assert decoder.counters.datagrams == 1


@pytest.mark.bounds
@pytest.mark.parametrize("number", range(4))
def test_any_flipped_bit_is_survived(number: int) -> None:
    whole = sample()[number]
    decoder = FlowDecoder()
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        decoder.decode(block(bytes(flipped)))
    assert decoder.counters.datagrams == 8 * len(whole)


@captures.needs_captures
@pytest.mark.bounds
@pytest.mark.slow
def test_every_captured_datagram_may_be_cut_off_anywhere() -> None:
    decoder, raw = FlowDecoder(), RawDecoder()
    for path in captures.flow_captures():
        item = next(CaptureFile(path).blocks(), None)
        if item is None:
            continue
        for begin, end in itertools.islice(itertools.pairwise(item.offsets), 4):
            datagram = item.slab[begin:end].tobytes()
            pieces = [datagram[:size] for size in range(len(datagram) + 1)]
            decoder.decode(block(*pieces))
            for piece in pieces[::7]:
                for _ in raw.decode(piece, "192.0.2.1"):
                    pass
    assert decoder.counters.datagrams > 50_000


@pytest.mark.bounds
@settings(max_examples=300)
@given(version=st.sampled_from([0, 1, 5, 7, 9, 10, 11]), body=st.binary(max_size=300))
def test_garbage_is_counted_and_nothing_else(version: int, body: bytes) -> None:
    decoder = FlowDecoder()
    decoder.decode(block(version.to_bytes(2, "big") + body, body))
    assert decoder.counters.datagrams == 2
    for _ in RawDecoder().decode(version.to_bytes(2, "big") + body, "192.0.2.1"):
        pass


@pytest.mark.bounds
@settings(max_examples=200)
@given(data=st.data())
def test_garbage_in_sets_is_survived(data: st.DataObject) -> None:
    sets = data.draw(
        st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 4, 256, 257]), st.binary(max_size=80)), max_size=6)
    )
    ids = st.sampled_from([256, 257])
    lengths = st.sampled_from([0, 1, 2, 4, 8, 16, 65535])
    fields = data.draw(st.lists(st.tuples(st.integers(0, 400), lengths), min_size=1, max_size=8))
    body = [one_set(0, template(data.draw(ids), fields)), one_set(2, template(data.draw(ids), fields))]
    body += [one_set(*item) for item in sets]
    decoder = FlowDecoder()
    decoder.decode(block(v9(*body), ipfix(*body), v9(*body)))
    assert decoder.counters.datagrams == 3


def test_a_set_that_has_no_room_waits_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    from btimd.capture.wire.output import OutputChunk

    monkeypatch.setattr(OutputChunk, "room_for", staticmethod(lambda _: 5))
    definition = one_set(0, template(256, PLAIN))
    datagrams = [v9(definition), *(v9(one_set(256, plain_record(number), plain_record(0))) for number in range(20))]
    batch = FlowDecoder().decode(block(*datagrams, v5(v5_record(99), v5_record(98), v5_record(97))))
    assert batch["octet_delta_count"].tolist() == [n for number in range(20) for n in (number, 0)] + [99, 98, 97]
    assert set(batch["flow_end_milliseconds"].tolist()) == {ARRIVAL - 1250}

import errno
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from btimd.capture import flowexport
from btimd.capture.flowexport import FlowExporter
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.ipfixexport import ExportLimits, Message
from btimd.model.flowbatch import FlowBatch
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.wire.test_ipfixexport import block_of, flows_of, header, lost, told
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.programs import need

DOMAIN = 7


def metric(metrics: Metrics, what: str) -> int:
    return int(metrics.value(f"btimd_capture_export_{what}_total"))


def all_metrics(metrics: Metrics) -> tuple[int, int, int, int]:
    """Return records, messages, errors and records that were dropped."""
    records, messages, errors, dropped = (
        metric(metrics, what) for what in ("records", "messages", "errors", "dropped_records")
    )
    return records, messages, errors, dropped


@pytest.fixture(params=["127.0.0.1", "::1"])
def collector(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with listening(request.param) as made:
        yield made


def listening(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind((host, port))
    made.settimeout(PATIENCE_SECONDS)
    return made


def address(collector: socket.socket) -> tuple[str, int]:
    host, port = collector.getsockname()[:2]
    return host, port


def taken(collector: socket.socket, records: int) -> list[Message]:
    """Return messages until so many records have come."""
    found: list[Message] = []
    while sum(message.records for message in found) < records:
        octets = collector.recv(65_535)
        ids = octets[16:18]
        count = {b"\1\0": 63, b"\1\1": 87, b"\1\2": 55, b"\1\3": 79}.get(ids)
        found.append(Message(octets, (len(octets) - 20) // count if count else 0))
    return found


def test_a_collector_gets_every_record(collector: socket.socket) -> None:
    metrics = Metrics()
    exporter = FlowExporter([address(collector)], metrics, Log("capture"))
    exporter.start()
    flows = flows_of([number % 3 == 1 for number in range(3_000)])
    exporter.put(flows, DOMAIN)
    messages = taken(collector, 3_000)
    assert exporter.stop(PATIENCE_SECONDS)
    decoder = FlowDecoder()
    found = decoder.decode(block_of(messages))
    six = flows["source_address_hi"] > 0
    assert told(found) == told(FlowBatch.concat([flows.select(~six), flows.select(six)]))
    assert lost(decoder) == 0
    exporter.report()
    assert all_metrics(metrics) == (3_000, len(messages), 0, 0)
    exporter.report()
    assert all_metrics(metrics) == (3_000, len(messages), 0, 0)


def test_every_collector_gets_everything_though_one_has_no_address() -> None:
    metrics = Metrics()
    with listening() as one, listening("::1") as other:
        exporter = FlowExporter([address(one), ("nobody.invalid", 4739), address(other)], metrics, Log("capture"))
        exporter.start()
        exporter.put(flows_of([False] * 100), DOMAIN)
        found = [[header(each) for each in taken(which, 100)] for which in (one, other)]
        assert exporter.stop(PATIENCE_SECONDS)
    assert found[0] == found[1]
    exporter.report()
    assert all_metrics(metrics) == (200, 2 * len(found[0]), 1, 100)


def test_a_collector_that_comes_back_gets_templates_at_once() -> None:
    metrics = Metrics()
    with listening() as gone:
        where = address(gone)
    exporter = FlowExporter([where], metrics, Log("capture"))
    exporter.start()
    exporter.put(flows_of([False] * 40), DOMAIN)
    wait_until(lambda: exporter.counters.errors > 0)
    with listening(port=where[1]) as back:
        exporter.put(flows_of([False]), DOMAIN)
        messages = taken(back, 1)
        if messages[0].records == 40:  # it was on its way while the collector came back
            messages = taken(back, 1)
        assert exporter.stop(PATIENCE_SECONDS)
    first, second = messages
    assert (first.records, second.records, header(second)[3]) == (0, 1, 40)


def test_what_waits_too_long_is_dropped_and_missing_in_the_sequence_numbers() -> None:
    metrics = Metrics()
    with listening() as collector:
        exporter = FlowExporter([address(collector)], metrics, Log("capture"), queue_records=100)
        for records in (60, 30, 50):  # the thread does not run yet
            exporter.put(flows_of([False] * records), DOMAIN)
        assert exporter.waiting_records == 80
        exporter.start()
        messages = taken(collector, 80)
        assert exporter.stop(PATIENCE_SECONDS)
    assert header(messages[0])[3] == 60
    exporter.report()
    assert all_metrics(metrics) == (80, len(messages), 0, 60)


def test_the_newest_batch_is_kept_however_large() -> None:
    with listening() as collector:
        exporter = FlowExporter([address(collector)], Metrics(), Log("capture"), queue_records=10)
        exporter.put(flows_of([False] * 20), DOMAIN)
        exporter.start()
        assert sum(message.records for message in taken(collector, 20)) == 20
        assert exporter.stop(PATIENCE_SECONDS)


def test_the_end_sends_what_waits_and_drops_what_it_has_no_time_for() -> None:
    metrics = Metrics()
    with listening() as collector:
        exporter = FlowExporter([address(collector)], metrics, Log("capture"))
        exporter.put(flows_of([False] * 50), DOMAIN)
        exporter.start()
        assert exporter.stop(PATIENCE_SECONDS)
        assert sum(message.records for message in taken(collector, 50)) == 50
        late = FlowExporter([address(collector)], metrics, Log("capture"))
        late.put(flows_of([False] * 70), DOMAIN)
        late.put(flows_of([False] * 80), DOMAIN)
        late.stop(0)  # before the thread was started
        late.start()
        wait_until(lambda: not late.alive)
        late.put(flows_of([False] * 6), DOMAIN)
    exporter.report()
    late.report()
    assert (metric(metrics, "records"), metric(metrics, "dropped_records")) == (50, 156)


def test_an_end_in_the_middle_of_a_batch_counts_the_rest_as_dropped() -> None:
    class Steps(ManualClock):
        """A second passes with every look at it."""

        @override
        def monotonic(self) -> float:
            self.advance(1.0)
            return float(super().monotonic())

    metrics = Metrics()
    with listening() as collector:
        exporter = FlowExporter([address(collector)], metrics, Log("capture"), clock=Steps())
        exporter.put(flows_of([False] * 5_000), DOMAIN)
        exporter.stop(6)
        exporter.start()
        wait_until(lambda: not exporter.alive)
    exporter.report()
    records, _, errors, dropped = all_metrics(metrics)
    assert (records + dropped, errors) == (5_000, 0)
    assert 0 < records < 5_000


class Socket:
    """A socket that fails as told: an errno for each of the next messages, 0 = sent."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)
        self.file = listening()

    def send(self, _octets: bytes) -> None:
        number = self.errors.pop(0) if self.errors else 0
        if number:
            raise OSError(number, os.strerror(number))

    def fileno(self) -> int:
        return self.file.fileno()

    def close(self) -> None:
        self.file.close()


@pytest.mark.parametrize(
    ("errors", "sent", "counted"),
    [
        ((errno.ECONNREFUSED,), 1, 1),
        ((errno.ECONNREFUSED, errno.ECONNREFUSED), 0, 2),
        ((errno.EAGAIN,), 1, 1),
        ((errno.ENOBUFS, errno.ENOBUFS), 0, 2),
        ((errno.ECONNREFUSED, errno.EAGAIN), 1, 2),
        ((errno.EPERM,), 0, 1),
    ],
)
def test_errors_of_sending_are_counted_and_the_message_tried_once_more(
    errors: tuple[int, ...], sent: int, counted: int
) -> None:
    counters = flowexport.ExportCounters()
    collector = flowexport._Collector("127.0.0.1", 9, counters, Log("capture"))
    collector._socket = broken = Socket(*errors)  # type: ignore[assignment]
    collector.send(Message(b"-", 5), 0.0)
    assert (counters.messages, counters.records) == (sent, 5 * sent)
    assert (counters.errors, counters.dropped_records) == (counted, 5 * (1 - sent))
    assert collector.take_refused() == (errno.ECONNREFUSED in errors)
    assert not collector.take_refused()
    assert collector._socket is not None
    broken.close()


def test_a_way_that_is_gone_is_looked_for_again_after_half_a_minute() -> None:
    counters = flowexport.ExportCounters()
    collector = flowexport._Collector("127.0.0.1", 9, counters, Log("capture"))
    collector._socket = Socket(errno.ENETUNREACH)  # type: ignore[assignment]
    collector.send(Message(b"-", 5), 100.0)
    collector.send(Message(b"-", 5), 101.0)
    assert (counters.errors, counters.dropped_records) == (1, 10)
    assert [collector.open(now) for now in (101.0, 129.9, 130.0, 131.0)] == [False, False, True, False]
    collector.close()


def test_a_bug_costs_a_batch_and_not_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as collector:
        exporter = FlowExporter([address(collector)], Metrics(), Log("capture"))
        encode = exporter._encoder.encode
        failures = [ZeroDivisionError()]

        def broken(flows: FlowBatch, domain: int, now: int) -> list[Message]:
            if failures:
                raise failures.pop()
            return encode(flows, domain, now)

        monkeypatch.setattr(exporter._encoder, "encode", broken)
        exporter.start()
        exporter.put(flows_of([False] * 2), DOMAIN)
        exporter.put(flows_of([False] * 3), DOMAIN)
        assert sum(message.records for message in taken(collector, 3)) == 3
        assert exporter.stop(PATIENCE_SECONDS)
        assert (exporter.counters.errors, exporter.counters.dropped_records) == (1, 2)


def test_putting_does_not_wait_for_a_collector_that_holds_everything_up() -> None:
    with listening() as collector:
        exporter = FlowExporter([address(collector)], Metrics(), Log("capture"), queue_records=100)
        held, going = threading.Event(), threading.Event()

        def stuck(message: Message, now: float) -> None:
            del message, now
            going.set()
            held.wait(PATIENCE_SECONDS)

        exporter._collectors[0].send = stuck  # type: ignore[method-assign]
        exporter.start()
        exporter.put(flows_of([False] * 50), DOMAIN)
        assert going.wait(PATIENCE_SECONDS)
        for _ in range(100):
            exporter.put(flows_of([False] * 50), DOMAIN)
        assert exporter.waiting_records == 100
        held.set()
        assert exporter.stop(PATIENCE_SECONDS)


@pytest.mark.slow
@pytest.mark.real_server
def test_nfcapd_stores_the_same_flows(tmp_path: Path) -> None:
    nfcapd, nfdump = need("nfcapd"), need("nfdump")
    with listening() as probe:
        port = address(probe)[1]
    server = subprocess.Popen(
        [nfcapd, "-w", tmp_path, "-b", "127.0.0.1", "-p", str(port), "-B", str(8 << 20), "-t", "3600"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: f":{port:04X} " in Path("/proc/net/udp").read_text())
        flows = flows_of([number % 3 == 1 for number in range(5_000)])
        exporter = FlowExporter([("127.0.0.1", port)], Metrics(), Log("capture"), limits=ExportLimits(900))
        exporter.start()
        for begin in range(0, 5_000, 1_000):
            exporter.put(flows.select((np.arange(5_000) // 1_000) * 1_000 == begin), DOMAIN)
        assert exporter.stop(10)
        wait_until(lambda: all_read(port))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE_SECONDS)
    said = subprocess.run([nfdump, "-R", tmp_path, "-I"], capture_output=True, text=True, check=True).stdout
    assert "Sequence failures: 0" in said
    text = subprocess.run([nfdump, "-R", tmp_path, "-o", "json"], capture_output=True, text=True, check=True).stdout
    found = json.loads(text[text.index("[") : text.rindex("]") + 1])
    names = {
        "src_port": "source_transport_port", "dst_port": "destination_transport_port", "in_bytes": "octet_delta_count",
        "in_packets": "packet_delta_count", "proto": "protocol_identifier", "src_tos": "ip_class_of_service",
        "input_snmp": "ingress_interface", "src_vlan": "vlan_id", "direction": "flow_direction",
    }  # fmt: skip
    rows = sorted(tuple(int(row.get(name, -1)) for name in names) for row in found)
    icmp = np.isin(flows["protocol_identifier"], (1, 58))  # nfdump tells a type and a code of these, and no ports
    columns = {column: flows[column].astype(np.int64) for column in names.values()}
    for column in ("source_transport_port", "destination_transport_port"):
        columns[column][icmp] = -1
    wanted = sorted(zip(*(column.tolist() for column in columns.values()), strict=True))
    assert len(rows) == 5_000
    assert [sum(row[at] for row in rows) for at in (2, 3)] == [sum(row[at] for row in wanted) for at in (2, 3)]
    assert rows == wanted


def all_read(port: int) -> bool:
    """Tell whether nothing waits at a UDP socket."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return all(row[4].endswith(":00000000") for row in rows if row[1].endswith(f":{port:04X}"))

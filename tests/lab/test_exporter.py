import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from btimd.lab import exporter as exporter_module
from btimd.lab.exporter import Exporter, Totals
from btimd.lab.ipfix import RECORDS_PER_MESSAGE, TEMPLATE_ID
from btimd.runtime.clock import ManualClock
from tests.lab.ipfix_parser import Message, parse
from tests.lab.test_ipfix import FLOW
from tests.patience import PATIENCE_SECONDS


class Collector:
    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE_SECONDS)
        self.templates: dict[int, list[tuple[int, int]]] = {}
        self.sources: set[str] = set()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.socket.getsockname()
        return host, port

    def next(self) -> Message:
        data, source = self.socket.recvfrom(2000)
        self.sources.add(source[0])
        return parse(data, self.templates)


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.socket.close()


def make(collector: Collector, clock: ManualClock) -> Exporter:
    # The loop's own flush never comes in these tests: they flush themselves.
    return Exporter(collector.address, clock=clock, flush_seconds=3600, template_refresh_seconds=5)


async def test_the_template_goes_out_at_the_start_and_again_when_it_is_due(collector: Collector) -> None:
    clock = ManualClock()
    exporter = make(collector, clock)
    await exporter.start()
    assert TEMPLATE_ID in collector.next().templates
    exporter.add([FLOW])
    exporter.flush()
    assert collector.next().templates == {}
    clock.advance(5)
    exporter.flush()
    message = collector.next()
    assert (TEMPLATE_ID in message.templates, message.records) == (True, [])
    await exporter.stop()
    assert collector.sources == {"127.20.0.1"}


async def test_the_sequence_counts_the_records_sent_before(collector: Collector) -> None:
    exporter = make(collector, ManualClock())
    await exporter.start()
    exporter.add([FLOW] * (RECORDS_PER_MESSAGE + 2))
    exporter.flush()
    exporter.add([FLOW])
    exporter.flush()
    await exporter.stop()
    seen = [collector.next() for _ in range(4)]
    assert [(message.sequence, len(message.records)) for message in seen] == [
        (0, 0),
        (0, RECORDS_PER_MESSAGE),
        (RECORDS_PER_MESSAGE, 2),
        (RECORDS_PER_MESSAGE + 2, 1),
    ]


async def test_totals_are_kept_per_business(collector: Collector) -> None:
    exporter = make(collector, ManualClock())
    await exporter.start()
    exporter.add([FLOW, FLOW, replace(FLOW, business="", octets=70, packets=1)])
    assert exporter.totals == {}
    await exporter.stop()
    assert exporter.totals == {"erp": Totals(10_000_000_000, 154, 2), "": Totals(70, 1, 1)}
    assert exporter.exported == {"erp": 10_000_000_000, "": 70}


async def test_what_the_kernel_refuses_is_counted_as_dropped_and_shows_as_a_gap(collector: Collector) -> None:
    exporter = Exporter(
        ("255.255.255.255", 9), clock=ManualClock(), flush_seconds=3600, template_refresh_seconds=5
    )  # broadcasting is not permitted
    await exporter.start()
    exporter.add([FLOW])
    exporter.flush()
    await exporter.stop()
    assert (exporter.dropped, exporter.sequence, exporter.messages, exporter.totals) == (1, 1, 0, {})
    assert collector.sources == set()


async def test_records_beyond_the_cache_and_after_the_end_are_counted_as_dropped(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter_module, "_MAX_WAITING", 2)
    exporter = make(collector, ManualClock())
    await exporter.start()
    exporter.add([FLOW] * 3)
    assert exporter.dropped == 1
    await exporter.stop()
    await exporter.stop()
    exporter.add([FLOW])
    exporter.flush()
    assert exporter.dropped == 2

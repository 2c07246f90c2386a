import struct

import pytest

from btimd.capture.wire import sampling
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.exporters import ExporterRule
from btimd.capture.wire.sampling import SamplingBook, announced_rate
from btimd.capture.wire.tables import Tables
from btimd.kernels import flowlayout as fl
from btimd.model.address import Prefix
from tests.capture.wire.crafting import (
    PLAIN,
    block,
    ipfix,
    one_set,
    options_template,
    plain_record,
    template,
    v5,
    v5_record,
)  # fmt: skip


def probability(value: float) -> int:
    return int.from_bytes(struct.pack(">d", value), "big")


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ({}, 0), ({34: 100}, 100), ({50: 7, 34: 100}, 7), ({305: 1, 306: 99}, 100), ({305: 10, 306: 990}, 100),
        ({305: 5}, 0), ({306: 9}, 0), ({309: 2}, 0), ({305: 5, 34: 9}, 9), ({305: 1, 306: 0}, 1), ({305: 0, 306: 5}, 0), ({309: 2, 310: 200}, 100), ({305: 1, 309: 1, 310: 256}, 256),
        ({34: 1 << 24}, 1 << 24), ({34: (1 << 24) + 1}, 0), ({311: probability(0.001)}, 1000),
        ({311: probability(1.0)}, 1), ({311: probability(0.0)}, 0), ({311: probability(1e-300)}, 0),
        ({311: probability(float("nan"))}, 0), ({311: probability(-1.0)}, 0),
    ],
)  # fmt: skip
def test_the_rate_of_an_announcement(values: dict[int, int], rate: int) -> None:
    assert announced_rate(values) == rate


def test_samplers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_SAMPLERS", 4)
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(0, 1, "::1")
    domain = tables.add_domain(exporter, 0, 1, 10, 0)
    book = SamplingBook(tables)
    for sampler in range(5):
        book.learn(exporter, domain, {48: sampler, 50: 100 + sampler})
    book.flush(exporter)
    found = [tables.samplers.get((domain << 31) | sampler) for sampler in range(5)]
    assert found == [100, 101, -1, -1, -1]
    assert (book.rate_of_exporter(exporter), int(tables.domains[domain, fl.D_RATE])) == (104, 104)


def test_forgotten_domains_leave_no_rate_behind() -> None:
    tables = Tables(default_rate=1)
    exporter = tables.add_exporter(0, 1, "::1")
    domain = tables.add_domain(exporter, 0, 1, 10, 0)
    book = SamplingBook(tables)
    book.learn(exporter, domain, {48: 7, 50: 100, 145: 256})
    book.forget(exporter, domain)
    assert (tables.samplers.get((domain << 31) | 7), book.rates_of(domain).rate) == (-1, 0)
    assert book.announced_by(exporter) == 100  # for the exporter's other domains


DATA = one_set(2, template(256, PLAIN, ipfix=True)), one_set(256, plain_record())
IN_RECORD = one_set(2, template(256, (*PLAIN, (34, 4)), ipfix=True))


def announced(rate: int, *, about: int = 0, domain: int = 0) -> bytes:
    definition = one_set(3, options_template(300, [(149, 4)], [(34, 4)], ipfix=True))
    return ipfix(definition, one_set(300, struct.pack(">II", about, rate)), domain=domain)


def rates_of(decoder: FlowDecoder, *datagrams: bytes) -> list[tuple[int, bool]]:
    """(rate, whether it is assumed) of each record."""
    batch = decoder.decode(block(*datagrams))
    assumed = (batch["record_quality"] & fl.Q_RATE_ASSUMED) != 0
    return list(zip(batch["sampling_rate"].tolist(), assumed.tolist(), strict=True))


def ruled(sampling_rate: int | None = None, default_sampling_rate: int | None = None) -> FlowDecoder:
    return FlowDecoder(rules=[ExporterRule("edge", Prefix.parse("192.0.2.0/24"), sampling_rate, default_sampling_rate)])


def test_records_are_marked_until_the_exporter_announces_a_rate() -> None:
    decoder = FlowDecoder(DecodeLimits(default_sampling_rate=64))
    assert rates_of(decoder, ipfix(*DATA)) == [(64, True)]
    assert rates_of(decoder, announced(64), ipfix(*DATA)) == [(64, False)]
    assert rates_of(decoder, ipfix(*DATA, domain=9)) == [(64, False)]


def test_a_rate_in_the_record_or_in_a_v5_header_is_not_assumed() -> None:
    record = one_set(256, plain_record() + struct.pack(">I", 128), plain_record() + bytes(4))
    assert rates_of(FlowDecoder(), ipfix(IN_RECORD, record)) == [(128, False), (1, True)]
    assert rates_of(FlowDecoder(), v5(v5_record(), sampling=10), v5(v5_record())) == [(10, False), (1, True)]


def test_a_default_of_the_exporter_holds_where_it_announces_none() -> None:
    decoder = ruled(default_sampling_rate=32)
    assert rates_of(decoder, ipfix(*DATA)) == [(32, True)]
    assert rates_of(decoder, announced(512), ipfix(*DATA)) == [(512, False)]


def test_the_operators_rate_replaces_whatever_the_exporter_says() -> None:
    decoder = ruled(sampling_rate=1000)
    record = one_set(256, plain_record() + struct.pack(">I", 128))
    found = rates_of(decoder, announced(512), ipfix(*DATA), ipfix(IN_RECORD, record), v5(v5_record(), sampling=10))
    assert found == [(1000, False)] * 3
    assert [(one.sampling_rate, one.sampling_rates) for one in decoder.exporters()] == [(1000, (1000,))]


def test_options_may_be_about_another_observation_domain() -> None:
    decoder = FlowDecoder()
    rates_of(decoder, ipfix(*DATA, domain=3), announced(8, domain=4))
    assert rates_of(decoder, announced(512, about=3, domain=77), ipfix(DATA[1], domain=3), ipfix(*DATA, domain=4)) == [
        (512, False), (8, False),
    ]  # fmt: skip


def test_all_rates_in_use_are_shown() -> None:
    decoder = FlowDecoder()
    record = one_set(256, plain_record() + struct.pack(">I", 128))
    rates_of(decoder, announced(512), ipfix(IN_RECORD, record))
    [one] = decoder.exporters()
    assert (one.sampling_rates, one.sampling_rate, one.sampling_announced) == ((128, 512), 512, True)

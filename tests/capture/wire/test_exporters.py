import threading
from typing import Any

import pytest

from btimd.capture.wire import exporters
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.exporters import ExporterRule, ExporterRules, RefusedExporters, TimeSource
from btimd.model.address import Prefix, address_halves
from btimd.model.ports import Exporter, ExporterInterface, RefusedExporter
from tests.capture.wire.crafting import (
    ARRIVAL,
    PLAIN,
    block,
    one_set,
    options_template,
    plain_record,
    template,
    v5,
    v5_record,
    v9,
)  # fmt: skip

DEFINITION = one_set(0, template(256, PLAIN))


def rule(name: str, prefix: str) -> ExporterRule:
    return ExporterRule(name, Prefix.parse(prefix))


def test_the_longest_prefix_wins() -> None:
    rules = ExporterRules([rule("all", "0.0.0.0/0"), rule("one", "10.1.2.3"), rule("site", "10.1.0.0/16")])
    names = [found.name if (found := rules.rule(*address_halves(text))) else None
             for text in ("10.1.2.3", "10.1.2.4", "10.2.0.0", "2001:db8::1")]  # fmt: skip
    assert names == ["one", "site", "all", None]


def test_without_a_list_all_may_export_and_with_one_only_its_addresses() -> None:
    addresses = ("10.0.0.0", "10.0.0.255", "10.0.1.0", "9.255.255.255", "2001:db8::1", "2001:db9::1", "::")
    assert all(ExporterRules().allows(*address_halves(text)) for text in addresses)
    allowed = [Prefix.parse(text) for text in ("10.0.0.0/24", "10.0.0.7", "2001:db8::/32")]
    rules = ExporterRules((), allowed)
    for _ in range(2):  # the second time from memory
        found = [rules.allows(*address_halves(text)) for text in addresses]
        assert found == [True, True, False, False, True, False, False]


def test_verdicts_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporters, "_MAX_VERDICTS", 3)
    rules = ExporterRules((), [Prefix(0, 0, 127)])
    assert [rules.allows(0, number) for number in range(10)] == [True, True, *[False] * 8]
    assert len(rules._verdicts) <= 3


@pytest.mark.parametrize("wrong", [{"sampling_rate": 0}, {"default_sampling_rate": 1 << 25}, {"time_source": "moon"}])
def test_rules_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="edge"):
        ExporterRule("edge", Prefix.parse("::/0"), **wrong)  # type: ignore[arg-type]


def test_who_was_refused_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporters, "MAX_REFUSED", 2)
    refused = RefusedExporters()
    for now, number in enumerate((1, 2, 1, 3)):
        refused.note(0, number, now, datagrams=number)
    assert refused.listed() == (RefusedExporter("::3", 3, 3), RefusedExporter("::1", 2, 2))


def test_datagrams_of_others_are_refused_and_counted_apart() -> None:
    decoder = FlowDecoder(allowed=[Prefix.parse("192.0.2.0/30"), Prefix.parse("2001:db8::/64")])
    sources = ["192.0.2.9", "192.0.2.1", "2001:db8::1", "192.0.2.9", "192.0.2.8", "192.0.2.1", "2001:db9::1"]
    batch = decoder.decode(block(*[v5(v5_record(number), sequence=number) for number in range(7)], sources=sources))
    assert batch["octet_delta_count"].tolist() == [1, 2, 5]
    counters = decoder.counters
    assert (counters.refused_exporters, counters.datagrams, counters.octets) == (4, 7, 7 * 72)
    assert [exporter.address for exporter in decoder.exporters()] == ["192.0.2.1", "2001:db8::1"]
    assert decoder.refused_exporters() == (
        RefusedExporter("192.0.2.9", 2, ARRIVAL), RefusedExporter("192.0.2.8", 1, ARRIVAL),
        RefusedExporter("2001:db9::1", 1, ARRIVAL),
    )  # fmt: skip


def test_a_block_of_strangers_costs_one_step() -> None:
    decoder = FlowDecoder(allowed=[Prefix.parse("192.0.2.1")])
    steps: list[int] = []
    new_domain = decoder._new_domain

    def counted(run: Any) -> None:
        steps.append(run.datagram)
        new_domain(run)

    decoder._new_domain = counted  # type: ignore[method-assign]
    strangers = [f"10.0.{number // 250}.{number % 250}" for number in range(1000)]
    assert len(decoder.decode(block(*[v9(DEFINITION)] * 1000, sources=strangers))) == 0
    assert (len(steps), decoder.counters.refused_exporters, decoder.counters.templates) == (1, 1000, 0)


def test_exporters_beyond_the_limit_are_refused_and_nothing_else_happens() -> None:
    decoder = FlowDecoder(DecodeLimits(max_exporters=1))
    data = v9(DEFINITION, one_set(256, plain_record()), one_set(300, plain_record()))
    batch = decoder.decode(block(*[data] * 9, sources=[f"10.0.0.{number}" for number in range(9)]))
    assert (len(batch), len(decoder.exporters()), decoder.counters.refused_datagrams) == (1, 1, 8)
    assert decoder.export_counts().tolist() == [[1, 0]]


def test_the_first_ids_can_be_those_of_points_that_send_no_datagrams() -> None:
    decoder = FlowDecoder(DecodeLimits(max_exporters=1), points=2)
    data = v9(DEFINITION, one_set(256, plain_record()))
    batch = decoder.decode(block(data, data, sources=["10.0.0.1", "10.0.0.2"]))
    assert (batch["exporter_id"].tolist(), decoder.counters.refused_datagrams) == ([2], 1)
    assert [one.id for one in decoder.exporters()] == [2]
    assert decoder.export_counts().tolist() == [[0, 0], [0, 0], [1, 0]]
    assert FlowDecoder(points=1).restore(decoder.snapshot(), ARRIVAL) == 1


@pytest.mark.parametrize(("source", "ended"), [("flow", -1250), ("export", -250), ("arrival", 0)])
def test_the_rule_says_whose_clock_dates_the_records(source: TimeSource, ended: int) -> None:
    decoder = FlowDecoder(rules=[ExporterRule("x", Prefix.parse("::/0"), time_source=source)])
    batch = decoder.decode(block(v9(DEFINITION, one_set(256, plain_record()))))
    assert (batch["flow_end_milliseconds"] - ARRIVAL).tolist() == [ended]
    assert (batch["flow_end_milliseconds"] - batch["flow_start_milliseconds"]).tolist() == [2000]


def test_exporters_are_listed_with_what_they_sent_and_lost() -> None:
    decoder = FlowDecoder(rules=[rule("edge", "192.0.2.0/24")])
    names = one_set(1, options_template(300, [(1, 4)], [(10, 4), (82, 4)])), one_set(300, bytes(7) + b"\7eth7")
    decoder.decode(block(v9(DEFINITION, *names, one_set(256, plain_record()), domain=7),
                         *[v9(domain=9, sequence=number) for number in (*range(10), *range(13, 53))]))  # fmt: skip
    decoder.decode(block(v5(v5_record(), sampling=10), source="2001:db8::5", arrival=ARRIVAL + 5))
    assert decoder.exporters() == (
        Exporter(
            id=0, address="192.0.2.1", version=9, observation_domains=(7, 9), datagrams=51, records=1, lost=3,
            templates=2, sampling_rate=1, first_seen_milliseconds=ARRIVAL, last_seen_milliseconds=ARRIVAL,
            name="edge", lost_records=0, counting="counts datagrams", clock_skew_milliseconds=-250,
            sampling_rates=(1,), sampling_announced=False, interfaces=(ExporterInterface(7, "eth7", "", 0),),
        ),
        Exporter(
            id=1, address="2001:db8::5", version=5, observation_domains=(0,), datagrams=1, records=1, lost=0,
            templates=0, sampling_rate=10, first_seen_milliseconds=ARRIVAL + 5, last_seen_milliseconds=ARRIVAL + 5,
            lost_records=0, counting="counts records sent before", clock_skew_milliseconds=-245, sampling_rates=(10,),
        ),
    )  # fmt: skip


def test_other_rules_hold_at_once_for_exporters_that_are_known() -> None:
    decoder = FlowDecoder(rules=[rule("old", "192.0.2.1")])
    fields = (*PLAIN, (34, 4))
    data = one_set(256, plain_record() + bytes(3) + b"\x09")
    first = decoder.decode(block(v9(one_set(0, template(256, fields)), data)))
    decoder.set_rules([ExporterRule("new", Prefix.parse("192.0.2.1"), sampling_rate=100)], [])
    second = decoder.decode(block(v9(data), v5(v5_record(), sampling=7)))
    decoder.set_rules([], [Prefix.parse("192.0.2.1")])
    third = decoder.decode(block(v9(data), v9(data), sources=["192.0.2.1", "192.0.2.2"]))
    assert [batch["sampling_rate"].tolist() for batch in (first, second, third)] == [[9], [100, 100], [9]]
    assert (decoder.exporters()[0].name, decoder.counters.refused_exporters) == ("", 1)
    decoder.set_rules([], [Prefix.parse("192.0.2.2")])
    assert len(decoder.decode(block(v9(data), v5(v5_record())))) == 0
    assert (decoder.counters.refused_exporters, decoder.counters.templates) == (3, 0)


def test_two_ports_that_count_on_their_own_are_told_apart_though_their_layouts_agree() -> None:
    decoder = FlowDecoder()
    data = one_set(256, plain_record())
    for number in range(40):
        both = [v9(DEFINITION, data, sequence=start + number) for start in (5, 1_000_000)]
        assert len(decoder.decode(block(*both, ports=(1, 2)))) == 2
    [one] = decoder.exporters()
    assert (one.strict, one.records, one.lost, decoder.counters.strict_exporters) == (True, 80, 0, 1)


def test_lost_datagrams_are_told_as_the_records_they_probably_had() -> None:
    decoder = FlowDecoder()
    data = one_set(256, *[plain_record()] * 10)
    numbers = (*range(20), *range(30, 80))
    decoder.decode(block(*[v9(DEFINITION, data, sequence=number) for number in numbers]))
    assert decoder.export_counts().tolist() == [[700, 100]]
    [one] = decoder.exporters()
    assert (one.lost, one.lost_records) == (10, 100)


@pytest.mark.slow
def test_views_may_be_asked_for_while_another_thread_decodes() -> None:
    decoder = FlowDecoder()
    decoder.warm()
    ended = threading.Event()
    errors: list[Exception] = []

    def ask() -> None:
        while not ended.is_set():
            try:
                decoder.exporters()
                _ = decoder.counters
                decoder.refused_exporters()
                decoder.snapshot()
            except Exception as error:  # noqa: BLE001  whatever it is, the test fails by it
                errors.append(error)
                return

    asking = threading.Thread(target=ask)
    asking.start()
    scope = options_template(900, [(1, 4)], [(10, 4), (82, 4), (34, 4)])
    for number in range(300):
        definition = one_set(0, *(template(256 + number + each, PLAIN) for each in range(5)))
        names = one_set(1, scope), one_set(900, bytes(4) + number.to_bytes(4, "big") + b"ethx" + bytes(4))
        sources = [f"10.1.{each}.{number % 250}" for each in range(3)]
        decoder.decode(block(*[v9(definition, *names, one_set(999, plain_record()), domain=number)] * 3,
                             sources=sources))  # fmt: skip
    ended.set()
    asking.join()
    assert errors == []

import hashlib
import json
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from btimd.capture.wire import persistence
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.persistence import SnapshotError, decode
from btimd.kernels import flowlayout as fl
from btimd.model.ports import ExporterInterface
from tests.capture.wire.crafting import (
    ARRIVAL,
    EXPORTED_AT,
    PLAIN,
    FieldSpec,
    block,
    ipfix,
    one_set,
    options_template,
    plain_record,
    template,
    v9,
)  # fmt: skip

FIRST = one_set(0, template(256, PLAIN))
DATA = one_set(256, plain_record())
VARIED: tuple[FieldSpec, ...] = ((8, 4), (12, 4), (1, 4), (82, 65535))
VARIED_RECORD = bytes([10, 0, 0, 1, 10, 2, 0, 10]) + struct.pack(">I", 7) + b"\3abc"


def decoded(decoder: FlowDecoder, *datagrams: bytes, **given: Any) -> list[int]:
    return [int(value) for value in decoder.decode(block(*datagrams, **given))["octet_delta_count"]]


def after_restart(decoder: FlowDecoder, limits: DecodeLimits | None = None, now: int = ARRIVAL) -> FlowDecoder:
    again = FlowDecoder(limits)
    again.restore(decoder.snapshot(), now)
    return again


def known(*datagrams: bytes, **given: Any) -> FlowDecoder:
    decoder = FlowDecoder()
    decoder.decode(block(*datagrams, **given))
    return decoder


def test_after_a_restart_data_is_decoded_before_its_template_comes_again() -> None:
    decoder = after_restart(known(v9(FIRST)))
    assert (decoder.exporters(), decoder.counters.unconfirmed_templates) == ((), 0)
    assert decoded(decoder, v9(DATA), v9(one_set(256, plain_record(), plain_record(), padding=b"\0\0"))) == [1000] * 3
    [exporter] = decoder.exporters()
    assert (exporter.unconfirmed_templates, exporter.templates, decoder.counters.unconfirmed_templates) == (1, 1, 1)
    assert decoded(decoder, v9(FIRST, DATA)) == [1000]
    assert (decoder.exporters()[0].unconfirmed_templates, decoder.counters.template_changes) == (0, 0)
    assert decoded(decoder, v9(one_set(256, plain_record(), padding=b"xx"))) == [1000]  # now it may be padded anyhow


@pytest.mark.parametrize("rest", [b"\1", b"\0\0\1", bytes(20) + b"\7"])
def test_a_remembered_template_that_does_not_fit_is_given_up_and_the_data_waits(rest: bytes) -> None:
    decoder = after_restart(known(v9(FIRST)))
    assert decoded(decoder, v9(one_set(256, plain_record(), padding=rest))) == []
    counters = decoder.counters
    assert (counters.misfit_templates, counters.buffered_sets, counters.unconfirmed_templates) == (1, 1, 0)
    assert decoded(decoder, v9(DATA)) == []
    assert decoded(decoder, v9(FIRST)) == [1000, 1000]


def test_variable_records_of_a_remembered_template_are_walked_before_they_are_believed() -> None:
    before = known(ipfix(one_set(2, template(256, VARIED, ipfix=True))))
    good = ipfix(one_set(256, VARIED_RECORD, VARIED_RECORD))
    decoder = after_restart(before)
    assert decoded(decoder, good, good) == [7] * 4
    assert decoder.counters.unconfirmed_templates == 1
    decoder = after_restart(before)
    assert decoded(decoder, ipfix(one_set(256, VARIED_RECORD, b"\1"))) == []
    assert decoder.counters.misfit_templates == 1


def test_options_of_a_remembered_template_are_learned_from_if_they_fit() -> None:
    options = one_set(1, options_template(300, [(1, 4)], [(34, 4)]))
    before = known(v9(options))
    decoder = after_restart(before)
    decoder.decode(block(v9(one_set(300, bytes(4) + b"\0\0\0\x64"))))
    assert decoder.exporters()[0].sampling_rates == (100,)
    decoder = after_restart(before)
    decoder.decode(block(v9(one_set(300, bytes(4) + b"\0\0\0\x64\1"))))
    assert (decoder.exporters()[0].sampling_announced, decoder.counters.misfit_templates) == (False, 1)


def test_rates_clocks_and_names_are_remembered() -> None:
    fields: list[FieldSpec] = [(48, 1), (50, 4), (160, 8), (10, 4), (82, 4), (236, 4), (234, 4)]
    options = one_set(3, options_template(300, [(149, 4)], fields, ipfix=True))
    record = struct.pack(">IBIQI4s4sI", 0, 7, 100, EXPORTED_AT * 1000, 5, b"eth5", b"cust", 9)
    by_template = one_set(3, options_template(301, [(145, 2)], [(34, 4)], ipfix=True)), one_set(301, b"\1\0\0\0\0\x08")
    before = known(ipfix(options, one_set(300, record), *by_template))
    before.names.name_host(0, b"core")
    decoder = after_restart(after_restart(before))
    sampled = one_set(2, template(256, PLAIN, ipfix=True), template(257, (*PLAIN, (48, 1)), ipfix=True))
    batch = decoder.decode(block(ipfix(sampled, DATA, one_set(257, plain_record() + b"\7"))))
    assert batch["sampling_rate"].tolist() == [8, 100]
    assert (batch["record_quality"] & fl.Q_RATE_ASSUMED).tolist() == [0, 0]
    assert int(decoder._tables.domains[0, fl.D_INIT]) == EXPORTED_AT * 1000
    names = decoder.names.of(0)
    assert (names.host, names.vrfs, names.interfaces) == ("core", {9: "cust"}, {5: ExporterInterface(5, "eth5", "", 0)})
    other = decoder.decode(block(ipfix(sampled, DATA, domain=9)))
    assert other["sampling_rate"].tolist() == [8]  # what the exporter announced last, anywhere


def test_exporters_told_apart_by_their_ports_stay_so_and_connections_are_forgotten() -> None:
    short = one_set(0, template(256, ((8, 4), (12, 4), (1, 4))))
    before = known(v9(FIRST), v9(short), v9(FIRST), ports=(1, 2, 1))
    before.decode(block(ipfix(one_set(2, template(256, PLAIN, ipfix=True))), stream=True, port=5))
    assert before.exporters()[0].strict
    decoder = after_restart(before)
    two = one_set(256, bytes([10, 0, 0, 1, 10, 2, 0, 10]) + struct.pack(">I", 7))
    assert decoded(decoder, v9(DATA), v9(two), v9(DATA), ports=(1, 2, 1)) == [1000, 7, 1000]
    assert decoder.exporters()[0].strict
    assert decoded(decoder, ipfix(DATA), stream=True, port=5) == []


def test_what_nobody_asked_for_is_kept_for_the_next_run() -> None:
    decoder = FlowDecoder()
    decoder.decode(block(v9(FIRST), v9(FIRST, domain=5), source="192.0.2.7"))
    decoder = after_restart(after_restart(decoder))
    assert decoded(decoder, v9(DATA, domain=5), source="192.0.2.7") == [1000]
    decoder = after_restart(decoder)
    assert decoded(decoder, v9(DATA), v9(DATA, domain=5), source="192.0.2.7") == [1000] * 2


def test_templates_a_week_old_are_left_out() -> None:
    before = known(v9(FIRST))
    assert FlowDecoder().restore(before.snapshot(), ARRIVAL + 7 * 86_400_000) == 1
    assert FlowDecoder().restore(before.snapshot(), ARRIVAL + 7 * 86_400_000 + 1) == 0


def test_what_is_remembered_obeys_the_limits() -> None:
    before = FlowDecoder()
    many = one_set(0, *(template(256 + number, PLAIN) for number in range(5)))
    for domain in range(5):
        before.decode(block(*[v9(many, domain=domain)] * 2, sources=["192.0.2.1", "192.0.2.2"]))
    limits = DecodeLimits(max_exporters=1, max_domains_per_exporter=2, max_templates=3)
    decoder = after_restart(before, limits)
    decoded(decoder, *[v9(DATA, domain=domain) for domain in range(5)])
    assert (decoder.counters.templates, decoder.counters.refused_datagrams) == (3, 3)


def test_a_definition_by_the_exporter_itself_wins_over_what_is_remembered() -> None:
    decoder = after_restart(known(v9(FIRST)))
    short = one_set(0, template(256, ((8, 4), (12, 4), (1, 4))))
    two = one_set(256, bytes([10, 0, 0, 1, 10, 2, 0, 10]) + struct.pack(">I", 7))
    assert decoded(decoder, v9(short, two)) == [7]
    assert (decoder.counters.unconfirmed_templates, decoder.counters.template_changes) == (0, 1)


# Damage


def snapshot() -> bytes:
    options = one_set(3, options_template(300, [(149, 4)], [(34, 4), (10, 4), (82, 4)], ipfix=True))
    record = struct.pack(">III4s", 0, 100, 5, b"eth5")
    return known(v9(FIRST), ipfix(options, one_set(300, record))).snapshot()


def forged(change: Any) -> bytes:
    text = json.loads(zlib.decompress(snapshot()[46:]))
    text = change(text) or text
    body = zlib.compress(json.dumps(text).encode())
    return struct.pack(">8sHI32s", b"btimdtpl", 1, len(body), hashlib.sha256(body).digest()) + body


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: b"", "cut off"), (lambda _: b"x" * 100, "no snapshot"),
        (lambda octets: octets[:-1], "announced"), (lambda octets: octets + b"x", "announced"),
        (lambda octets: octets[:-1] + b"\xff", "checksum"), (lambda octets: b"btimdtpl\0\2" + octets[10:], "format 2"),
    ],
)  # fmt: skip
def test_a_damaged_snapshot_is_a_clear_error(damage: Callable[[bytes], bytes], reason: str) -> None:
    with pytest.raises(SnapshotError, match=reason):
        FlowDecoder().restore(damage(snapshot()), ARRIVAL)


def test_no_flipped_bit_goes_unnoticed() -> None:
    octets, chance = snapshot(), random.Random(0)
    for _ in range(300):
        damaged = bytearray(octets)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        with pytest.raises(SnapshotError):
            decode(bytes(damaged))


def set_at(*path: Any) -> Any:
    def change(text: Any) -> None:
        for step in path[:-2]:
            text = text[step]
        text[path[-2]] = path[-1]

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda _: {"a": 1}, lambda _: [1], lambda _: [[]], lambda _: "x", lambda _: 7, set_at(0, "hi", -1), set_at(0, "lo", 1 << 64),
        set_at(0, "rate", 1 << 25), set_at(0, "domains", None), set_at(0, "domains", [{}]), set_at(0, "names", []),
        set_at(0, "domains", 0, "scope", 1 << 60), set_at(0, "domains", 0, "version", True),
        set_at(0, "domains", 0, "templates", 0, "definition", "zz"), set_at(0, "domains", 0, "templates", 0, "id", 70_000),
        set_at(0, "domains", 0, "sampler_rates", [[1]]), set_at(0, "domains", 0, "sampler_rates", [[1, "2"]]),
        set_at(0, "names", "interfaces", [[1, 2, 3, 4]]), set_at(0, "names", "host", None),
        set_at(0, "names", "vrfs", [[-1, "x"]]), set_at(0, "hi", 1.5),
    ],
)  # fmt: skip
def test_a_forged_snapshot_is_a_clear_error_and_changes_nothing(change: Any) -> None:
    decoder = FlowDecoder()
    with pytest.raises(SnapshotError, match=r"missing|sense|sampling rate"):
        decoder.restore(forged(change), ARRIVAL)
    assert decoded(decoder, v9(DATA)) == []


@pytest.mark.parametrize(
    "definition", ["", "00", "0100ffff", "0100000100080004" * 3, "01010001000800040"[:16], "ff" * 4000]
)
def test_forged_definitions_are_parsed_like_those_of_the_network(definition: str) -> None:
    decoder = FlowDecoder()
    decoder.restore(forged(set_at(0, "domains", 0, "templates", 0, "definition", definition)), ARRIVAL)
    decoded(decoder, v9(DATA))
    assert decoder.counters.datagrams == 1


def test_forged_strings_are_made_harmless() -> None:
    decoder = FlowDecoder()
    decoder.restore(forged(set_at(0, "names", "host", "a\x1b[2J" + "x" * 1000)), ARRIVAL)
    decoded(decoder, v9(DATA))
    assert decoder.names.of(0).host == "a [2J" + "x" * 123


def test_snapshots_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = snapshot()
    for name, limit in (("MAX_SNAPSHOT_OCTETS", 50), ("_MAX_BODY_OCTETS", 50), ("_MAX_ITEMS", 3)):
        with monkeypatch.context() as patch:
            patch.setattr(persistence, name, limit)
            with pytest.raises(SnapshotError, match="more than"):
                decode(octets)


def test_deep_nesting_is_a_clear_error() -> None:
    body = zlib.compress(b"[" * 1_000_000)
    octets = struct.pack(">8sHI32s", b"btimdtpl", 1, len(body), hashlib.sha256(body).digest()) + body
    with pytest.raises(SnapshotError):
        decode(octets)

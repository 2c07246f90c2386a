"""What must hold whatever exporters send: the decoders give a bounded answer, count everything, and never raise.

Only what makes the fuzz target run imports this module, so that a fuzzer can instrument the decoders on their way in.
"""

import gc
import json
import resource
import time
import zlib
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from btimd.capture.wire import persistence
from btimd.capture.wire.decoder import DecodeLimits, FlowDecoder
from btimd.capture.wire.elements import element, readable
from btimd.capture.wire.persistence import SnapshotError
from btimd.capture.wire.records import FieldRecord, RawDecoder
from btimd.model.flowbatch import FlowBatch
from tests.fuzz import stream

SECONDS_PER_INPUT: Final = 30.0
CHECK_MEMORY_EVERY: Final = 2000
MAX_GROWTH_BYTES: Final = 256 * 1024 * 1024
# Small bounds are reached by small inputs.
LIMITS: Final = DecodeLimits(
    max_exporters=3, max_domains_per_exporter=4, max_templates=8, max_fields=64, max_total_fields=256,
    pending_octets=4096, pending_octets_per_template=1024,
)  # fmt: skip
_SNAPSHOT_HEADER: Final = vars(persistence)["_HEADER"]


class Broken(AssertionError):  # noqa: N818  it is what the fuzzer reports
    """Something that must hold does not."""


class Checks:
    """Checks inputs, one after the other, and watches the memory of the process meanwhile."""

    def __init__(self) -> None:
        self._runs = 0
        self._first_bytes = 0

    def check(self, octets: bytes) -> None:
        """Raise Broken, or whatever a decoder raised, where an input breaks something."""
        if self._seconds(octets) > SECONDS_PER_INPUT:  # once more: it may have been compiling, or the machine busy
            took = self._seconds(octets)
            _must(took < SECONDS_PER_INPUT, f"{len(octets)} octets took {took:.1f} s")
        self._runs += 1
        if self._runs % CHECK_MEMORY_EVERY == 0:
            self._watch_memory()

    def _seconds(self, octets: bytes) -> float:
        """Check an input; return how long that took."""
        started = time.monotonic()
        datagrams = stream.split(octets)
        together, apart = _flows(datagrams, one_by_one=False), _flows(datagrams, one_by_one=True)
        _must(together[0] == apart[0], "records depend on how datagrams share blocks")
        other = {name: (value, apart[1][name]) for name, value in together[1].items() if apart[1][name] != value}
        _must(not other, f"counters depend on how datagrams share blocks: {other}")
        _connections(datagrams)
        _raw(datagrams)
        return time.monotonic() - started

    def _watch_memory(self) -> None:
        gc.collect()
        now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        self._first_bytes = self._first_bytes or now
        grown = now - self._first_bytes
        _must(grown < MAX_GROWTH_BYTES, f"{grown >> 20} MiB more after {self._runs} inputs")


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def _flows(datagrams: list[stream.Datagram], *, one_by_one: bool) -> tuple[bytes, dict[str, int]]:
    """Return the records and the counters of datagrams."""
    decoder = FlowDecoder(LIMITS)
    batch = FlowBatch.concat([decoder.decode(item) for item in stream.blocks(datagrams, one_by_one=one_by_one)])
    counters = asdict(decoder.counters)
    _counts_add_up(datagrams, len(batch), counters)
    decoder.exporters()
    if not one_by_one:
        _restarted(decoder.snapshot(), datagrams)
    return json.dumps(list(batch.rows())).encode(), counters


def _counts_add_up(datagrams: list[stream.Datagram], rows: int, counters: dict[str, Any]) -> None:
    sent = sum(len(datagram.payload) for datagram in datagrams)
    numbers = {name: value for name, value in counters.items() if isinstance(value, int)}
    negative = {name: value for name, value in numbers.items() if value < 0}
    _must(not negative, f"negative counters {negative}")
    _must(numbers["datagrams"] == len(datagrams), f"{numbers['datagrams']} of {len(datagrams)} datagrams counted")
    _must(numbers["octets"] == sent, f"{numbers['octets']} of {sent} octets counted")
    _must(rows <= 2 * sent, f"{rows} records of {sent} octets")
    given = numbers["records"] + numbers["reverse_records"]
    _must(rows == given, f"{rows} records given, {given} counted")
    received = numbers["records"] + numbers["skipped_records"] + numbers["options_records"]
    _must(received <= sent, f"{received} records received in {sent} octets")
    reasons = ("short_datagrams", "unknown_version_datagrams", "truncated_datagrams", "refused_datagrams")
    refused = sum(numbers[name] for name in reasons)
    _must(refused <= len(datagrams), f"{refused} refusals of {len(datagrams)} datagrams")
    waited = numbers["buffered_sets"] + numbers["replayed_sets"] + numbers["dropped_sets"]
    _must(waited <= numbers["sets_without_template"], f"{waited} sets waited, {numbers['sets_without_template']} came")


def _restarted(snapshot: bytes, datagrams: list[stream.Datagram]) -> None:
    """What was learned survives a restart; what is no snapshot is refused by its own error, and does no harm."""
    now = datagrams[-1].arrival_milliseconds if datagrams else stream.STARTED_AT
    decoder = FlowDecoder(LIMITS)
    decoder.restore(snapshot, now)
    decoder.snapshot()
    for item in stream.blocks(datagrams):
        decoder.decode(item)
    if not datagrams:
        return
    for octets in (datagrams[0].payload, _damaged(snapshot, len(datagrams[0].payload), len(datagrams))):
        other = FlowDecoder(LIMITS)
        with suppress(SnapshotError):
            other.restore(octets, now)
        for item in stream.blocks(datagrams[:4]):
            other.decode(item)


def _damaged(snapshot: bytes, place: int, what: int) -> bytes:
    """Return a snapshot whose checksum holds and one character of which is another."""
    magic, version, _, _ = _SNAPSHOT_HEADER.unpack_from(snapshot)
    text = bytearray(zlib.decompress(snapshot[_SNAPSHOT_HEADER.size :]))
    text[place * 7919 % len(text)] = b'0-9"[]{}:,.enf\0'[what % 15]
    body = zlib.compress(bytes(text), 1)
    return bytes(_SNAPSHOT_HEADER.pack(magic, version, len(body), sha256(body).digest())) + body


def _connections(datagrams: list[stream.Datagram]) -> None:
    """The same as messages of TCP connections."""
    decoder = FlowDecoder(LIMITS)
    rows = sum(len(decoder.decode(item)) for item in stream.blocks(datagrams, tcp=True))
    counters = decoder.counters
    given = counters.records + counters.reverse_records
    _must(rows == given, f"{rows} records given of connections, {given} counted")


def _raw(datagrams: list[stream.Datagram]) -> None:
    """The same through what `btimd decode` prints."""
    decoder, records, sent = RawDecoder(max_exporters=3, max_templates=8, max_fields=64), 0, 0
    for datagram in datagrams:
        sent += len(datagram.payload)
        for record in decoder.decode(datagram.payload, datagram.sender):
            records += 1
            json.dumps(record.as_json())
            if isinstance(record, FieldRecord):
                for field in record.fields:
                    value = readable(element(field.enterprise, field.element).kind, field.value)
                    json.dumps(value, allow_nan=False)
    _must(records <= sent, f"{records} raw records of {sent} octets")
    _must(decoder.counters.datagrams == len(datagrams), "the raw decoder lost a datagram")

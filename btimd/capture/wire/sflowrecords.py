"""Every sample of an sFlow v5 datagram as it stands on the wire: slow, plain, for people and as the kernel's oracle.

The layouts are drawn in kernels/sflow.py. Samples and records are walked by their lengths; the counts that datagrams
and samples announce are not believed. Some send other octets behind the last sample: what has no known format and does
not fit in the datagram is no sample.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from btimd.capture.wire.errors import WireError

FLOW, COUNTER, EXPANDED_FLOW, EXPANDED_COUNTER, DISCARDED = 1, 2, 3, 4, 5
RAW_HEADER, ETHERNET, SAMPLED_IPV4, SAMPLED_IPV6 = 1, 2, 3, 4
_KINDS: Final = {
    FLOW: "flow_sample", COUNTER: "counter_sample", EXPANDED_FLOW: "expanded_flow_sample",
    EXPANDED_COUNTER: "expanded_counter_sample", DISCARDED: "drop_sample",
}  # fmt: skip
_HEAD_OCTETS: Final = {FLOW: 32, COUNTER: 12, EXPANDED_FLOW: 44, EXPANDED_COUNTER: 16, DISCARDED: 32}
_ADDRESS_OCTETS: Final = {0: 0, 1: 4, 2: 16}  # type 0: the agent's address is not told
_FORMAT_BITS: Final = 12
_INTERFACE_BITS: Final = 30


@dataclass(frozen=True, slots=True)
class SflowRecord:
    """A record of a sample. octets: as many as its length says, or fewer where the sample ends before."""

    enterprise: int
    format: int
    length: int
    octets: bytes

    @property
    def raw_header(self) -> tuple[int, int, int, int, bytes] | None:
        """Return (link type, frame octets, octets stripped, header octets announced, header) of a packet's header."""
        if (self.enterprise, self.format) != (0, RAW_HEADER) or len(self.octets) < 16:
            return None
        link, frame, stripped, length = (_integer(self.octets, at) for at in (0, 4, 8, 12))
        return link, frame, stripped, length, self.octets[16 : 16 + length]


@dataclass(frozen=True, slots=True)
class SflowSample:
    """A sample of an sFlow datagram. What its format has not is 0.

    source_type, source: the data source; type 0 is an interface and its ifIndex. input, output: an interface's format
    (0 = an ifIndex, 1 = discarded, 2 = several) and value.
    """

    datagram: int
    agent: str
    sub_agent: int
    enterprise: int
    format: int
    octets: int
    sequence: int = 0
    source_type: int = 0
    source: int = 0
    rate: int = 0
    pool: int = 0
    drops: int = 0
    input: tuple[int, int] = (0, 0)
    output: tuple[int, int] = (0, 0)
    reason: int = 0
    records: tuple[SflowRecord, ...] = ()

    @property
    def kind(self) -> str:
        """What sort of sample it is."""
        return _KINDS.get(self.format, "unknown_sample") if self.enterprise == 0 else "unknown_sample"

    @property
    def is_flow(self) -> bool:
        """Tell whether it is about a packet."""
        return self.enterprise == 0 and self.format in {FLOW, EXPANDED_FLOW, DISCARDED}

    @property
    def is_counter(self) -> bool:
        """Tell whether it holds counters."""
        return self.enterprise == 0 and self.format in {COUNTER, EXPANDED_COUNTER}

    def as_json(self) -> dict[str, Any]:
        """Return the sample in the shape `btimd decode --raw` prints."""
        line: dict[str, Any] = {"dg": self.datagram, "v": "sflow5", "kind": self.kind, "agent": self.agent,
                                "sub": self.sub_agent}  # fmt: skip
        if not (self.is_flow or self.is_counter):
            return line | {"ent": self.enterprise, "fmt": self.format, "len": self.octets}
        line["records"] = [self._record_as_json(record) for record in self.records]
        if self.is_flow:
            line |= {"rate": self.rate, "pool": self.pool, "drops": self.drops}
            if self.format == EXPANDED_FLOW:
                line |= {"input": list(self.input), "output": list(self.output)}
            else:
                line |= {
                    name: form << _INTERFACE_BITS | value
                    for name, (form, value) in (("input", self.input), ("output", self.output))
                }
        return line

    def _record_as_json(self, record: SflowRecord) -> dict[str, Any]:
        line: dict[str, Any] = {"ent": record.enterprise, "fmt": record.format, "len": record.length}
        raw = record.raw_header if self.is_flow else None
        if raw is not None:
            link, frame, stripped, length, octets = raw
            line |= {"proto": link, "frame_len": frame, "stripped": stripped, "hdr_len": length, "hdr": octets.hex()}
        elif self.is_counter or (record.enterprise == 0 and record.format in {ETHERNET, SAMPLED_IPV4, SAMPLED_IPV6}):
            line["hex"] = record.octets.hex()
        return line


def sflow_samples(
    datagram: bytes, *, number: int, exporter: str, note: Callable[[WireError], None]
) -> Iterator[SflowSample]:
    """Yield the samples of a datagram that begins like sFlow v5; what is wrong in it is given to `note`.

    number: of the datagram. exporter: who sent it, for `note`.
    """
    size = _ADDRESS_OCTETS.get(_integer(datagram, 4), -1)
    start = 8 + size + 16
    sub_agent = _integer(datagram, 8 + size)

    def wrong(at: int, reason: str) -> None:
        note(WireError(exporter=exporter, domain=sub_agent, template=0, offset=at, reason=reason))

    if size < 0 or start > len(datagram):
        wrong(4, f"header of sFlow cut off or with an agent address of type {_integer(datagram, 4)}")
        return
    address = datagram[8 : 8 + size]
    agent = str(IPv6Address(address) if size == 16 else IPv4Address(address or bytes(4)))
    at = start
    while at + 8 <= len(datagram):
        form, length = _integer(datagram, at), _integer(datagram, at + 4)
        body = datagram[at + 8 : at + 8 + length]
        if len(body) < length:
            wrong(at, f"sample of {length} octets, {len(body)} are left")
        at += 8 + length
        if form == 0 and length == 0:
            continue
        sample = SflowSample(number, agent, sub_agent, form >> _FORMAT_BITS, form & 0xFFF, length)
        if not (sample.is_flow or sample.is_counter):
            if len(body) == length:
                yield sample
        elif len(body) < _HEAD_OCTETS[form]:
            wrong(at, f"{sample.kind} of {len(body)} octets")
        else:
            yield _read(sample, body, partial(wrong, at - length))


def _read(sample: SflowSample, body: bytes, wrong: Callable[[str], None]) -> SflowSample:
    """Return the sample with what its body says."""
    numbers = [_integer(body, at) for at in range(0, _HEAD_OCTETS[sample.format], 4)]
    sequence, source_type, source, *rest = numbers
    if sample.format in {FLOW, COUNTER}:
        source_type, source, rest = numbers[1] >> 24, numbers[1] & 0xFF_FFFF, numbers[2:]
    rate = pool = drops = reason = 0
    into = out = (0, 0)
    if sample.format == FLOW:
        rate, pool, drops, *ends = rest[:5]
        into, out = ((end >> _INTERFACE_BITS, end & ((1 << _INTERFACE_BITS) - 1)) for end in ends)
    elif sample.format == EXPANDED_FLOW:
        rate, pool, drops = rest[:3]
        into, out = (rest[3], rest[4]), (rest[5], rest[6])
    elif sample.format == DISCARDED:
        drops, into, out, reason = rest[0], (0, rest[1]), (0, rest[2]), rest[3]
    return SflowSample(
        sample.datagram, sample.agent, sample.sub_agent, sample.enterprise, sample.format, sample.octets, sequence,
        source_type, source, rate, pool, drops, into, out, reason,
        tuple(_records(body[_HEAD_OCTETS[sample.format] :], wrong)),
    )  # fmt: skip


def _records(body: bytes, wrong: Callable[[str], None]) -> Iterator[SflowRecord]:
    at = 0
    while at + 8 <= len(body):
        form, length = _integer(body, at), _integer(body, at + 4)
        octets = body[at + 8 : at + 8 + length]
        if len(octets) < length:
            wrong(f"record of {length} octets, {len(octets)} are left")
        yield SflowRecord(form >> _FORMAT_BITS, form & 0xFFF, length, octets)
        at += 8 + length


def _integer(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4], "big")

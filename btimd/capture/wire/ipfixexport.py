"""An IPFIX encoder (RFC 7011) that turns columns of flow records into messages, whole batches at a time.

    message:   version 2 = 10 | length 2 | export time 4 | sequence 4 | observation domain 4 | sets
    set:       id 2 (2 = templates, 256.. = data) | length 2 | records
    template:  id 2 | field count 2 | field count x (element 2 | octets 2)

A message holds records of one address family, or templates alone. The sequence number counts the data records of the
observation domain that were sent before, modulo 2^32, whoever received them: what is lost shows as a gap.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import FlowBatch

VERSION: Final = 10
HEADER_OCTETS: Final = 16
SET_HEADER_OCTETS: Final = 4
TEMPLATE_SET: Final = 2
MIN_MESSAGE_OCTETS: Final = 512
MAX_MESSAGE_OCTETS: Final = 65_487
"""What an IPv6 datagram without extension headers can carry, less a little."""
_SEQUENCE_MASK: Final = 0xFFFF_FFFF
_MAPPED: Final = np.uint64(0xFFFF)
_LOW: Final = np.uint64(0xFFFF_FFFF)
_HALF: Final = np.uint64(32)
_HEADER: Final = struct.Struct("!HHIII")
_PAIR: Final = struct.Struct("!HH")
_FRAME: Final = np.dtype(
    [("version", ">u2"), ("length", ">u2"), ("time", ">u4"), ("sequence", ">u4"), ("domain", ">u4"),
     ("set_id", ">u2"), ("set_length", ">u2")]
)  # fmt: skip
"""What stands before the records of a message."""


@dataclass(frozen=True, slots=True)
class _Field:
    """An element of a record: its number, its octets, and the column it is filled from (empty: an address)."""

    element: int
    octets: int
    column: str = ""


_COMMON: Final = (
    _Field(7, 2, "source_transport_port"),
    _Field(11, 2, "destination_transport_port"),
    _Field(4, 1, "protocol_identifier"),
    _Field(5, 1, "ip_class_of_service"),
    _Field(6, 2, "tcp_control_bits"),
    _Field(58, 2, "vlan_id"),
    _Field(61, 1, "flow_direction"),
    _Field(10, 4, "ingress_interface"),
    _Field(1, 8, "octet_delta_count"),
    _Field(2, 8, "packet_delta_count"),
    _Field(152, 8, "flow_start_milliseconds"),
    _Field(153, 8, "flow_end_milliseconds"),
)
_LAYER2: Final = (_Field(352, 8, "layer2_octet_delta_count"),)
_HALVES: Final = ("source_hi", "source_lo", "destination_hi", "destination_lo")
_SIGNED: Final = frozenset(each.column for each in (*_COMMON, *_LAYER2) if each.octets == 8)
"""Columns of int64: what is below 0 is sent as 0, as these elements are unsigned."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """A template and the record it describes."""

    template_id: int
    fields: tuple[_Field, ...]
    record: np.dtype[Any]

    @classmethod
    def of(cls, template_id: int, addresses: tuple[int, int], octets: int, *, layer2: bool) -> "_Layout":
        """Return the layout of an address family, with or without octets of frames."""
        fields = (*(_Field(one, octets) for one in addresses), *_COMMON, *(_LAYER2 if layer2 else ()))
        names = ("source", "destination") if octets == 4 else _HALVES
        record = [(name, ">u4" if octets == 4 else ">u8") for name in names]
        record += [(one.column, f">u{one.octets}") for one in fields[2:]]
        return cls(template_id, fields, np.dtype(record))

    def template(self) -> bytes:
        """Return the template record."""
        head = _PAIR.pack(self.template_id, len(self.fields))
        return head + b"".join(_PAIR.pack(one.element, one.octets) for one in self.fields)


# A batch has octets of frames for all its records or for none, and a record must not claim 0 of what nobody counted.
_FOUR, _SIX = (8, 12), (27, 28)
_LAYOUTS: Final = {
    layer2: (_Layout.of(first, _FOUR, 4, layer2=layer2), _Layout.of(first + 1, _SIX, 16, layer2=layer2))
    for layer2, first in ((True, 256), (False, 258))
}


@dataclass(frozen=True, slots=True)
class ExportLimits:
    """How messages are made.

    message_octets: the most octets of one, MIN_MESSAGE_OCTETS to MAX_MESSAGE_OCTETS. Templates are sent before the
    first record of a domain, and again when either so many milliseconds or so many messages have passed.
    """

    message_octets: int = 1_400
    template_refresh_milliseconds: int = 60_000
    template_refresh_messages: int = 4_096

    def __post_init__(self) -> None:
        """Refuse what no message can be made with."""
        if not MIN_MESSAGE_OCTETS <= self.message_octets <= MAX_MESSAGE_OCTETS:
            raise ValueError(f"messages of {self.message_octets} octets")
        if self.template_refresh_milliseconds < 1 or self.template_refresh_messages < 1:
            raise ValueError("templates would be sent all the time")


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to be sent, and how many data records are in it (0: templates)."""

    octets: bytes | memoryview
    records: int


@dataclass(slots=True)
class _Stream:
    """What is kept of an observation domain."""

    sequence: int = 0
    announced: dict[bool, tuple[int, int]] = field(default_factory=dict)
    """With or without octets of frames: when templates were last sent, and messages since."""


class FlowEncoder:
    """Makes IPFIX messages of flow batches; keeps a sequence number and the age of templates per observation domain.

    Counters are sent as the batch has them, so batches are to be of unsampled traffic (`sampling_rate` 1).
    """

    def __init__(self, limits: ExportLimits | None = None) -> None:
        self._limits = limits or ExportLimits()
        self._streams: dict[int, _Stream] = {}

    def announce(self) -> None:
        """Send all templates again with the next records, as for a collector that has come back."""
        for stream in self._streams.values():
            stream.announced.clear()

    def skip(self, domain: int, records: int) -> None:
        """Count records that will never be encoded as sent, so that collectors see that they are missing."""
        stream = self._streams.setdefault(domain, _Stream())
        stream.sequence = (stream.sequence + records) & _SEQUENCE_MASK

    def encode(self, flows: FlowBatch, domain: int, now_milliseconds: int) -> list[Message]:
        """Return the messages of a batch: IPv4 records in their order, then the others.

        domain: number of the observation domain, 32 bits. A record is of IPv4 where both addresses are.
        """
        if not len(flows):
            return []
        stream = self._streams.setdefault(domain, _Stream())
        layer2 = "layer2_octet_delta_count" in flows.columns
        seconds = now_milliseconds // 1000 & _SEQUENCE_MASK
        found: list[Message] = []
        for layout, rows in zip(_LAYOUTS[layer2], _by_family(flows), strict=True):
            records = _records(layout, flows, rows)
            for octets, count in self._messages(records, layout, (seconds, stream.sequence, domain)):
                if self._templates_are_due(stream, layer2, now_milliseconds, first=not found):
                    found.append(Message(_templates(_LAYOUTS[layer2], seconds, stream.sequence, domain), 0))
                found.append(Message(octets, count))
                stream.sequence = (stream.sequence + count) & _SEQUENCE_MASK
        return found

    def _templates_are_due(self, stream: _Stream, layer2: bool, now: int, *, first: bool) -> bool:  # noqa: FBT001  a key
        """Tell whether templates go before the next message, and count that message."""
        sent, messages = stream.announced.get(layer2, (now, self._limits.template_refresh_messages))
        # A clock that was set back must not keep templates from being sent for as long.
        old = first and not 0 <= now - sent < self._limits.template_refresh_milliseconds
        due = old or messages >= self._limits.template_refresh_messages
        stream.announced[layer2] = (now, 1) if due else (sent, messages + 1)
        return due

    def _messages(
        self, records: npt.NDArray[Any], layout: _Layout, head: tuple[int, int, int]
    ) -> Iterator[tuple[memoryview, int]]:
        """Yield messages of the records of one family, all in one piece of memory; head: time, sequence, domain."""
        size = layout.record.itemsize
        fits = (self._limits.message_octets - _FRAME.itemsize) // size
        whole, rest = divmod(len(records), fits)
        seconds, sequence, domain = head
        body = records.view(np.uint8).reshape(-1, size) if len(records) else np.zeros((0, size), np.uint8)
        for count, messages, begin in ((fits, whole, 0), (rest, int(rest > 0), whole * fits)):
            length = _FRAME.itemsize + count * size
            slab = np.empty((messages, length), np.uint8)
            slab[:, _FRAME.itemsize :] = body[begin : begin + messages * count].reshape(messages, count * size)
            frames = np.zeros(messages, _FRAME)
            frames["version"], frames["length"], frames["time"] = VERSION, length, seconds
            frames["sequence"] = sequence + begin + np.arange(messages) * count & _SEQUENCE_MASK
            frames["domain"] = domain & _SEQUENCE_MASK
            frames["set_id"], frames["set_length"] = layout.template_id, length - HEADER_OCTETS
            slab[:, : _FRAME.itemsize] = frames.view(np.uint8).reshape(messages, _FRAME.itemsize)
            octets = slab.data.cast("B") if messages else memoryview(b"")
            for at in range(messages):
                yield octets[at * length : (at + 1) * length], count


def _by_family(flows: FlowBatch) -> tuple[npt.NDArray[np.intp] | slice, npt.NDArray[np.intp] | slice]:
    """Return the rows of IPv4 and the rest; slices where all are of one family, which costs no copy."""
    four = np.ones(len(flows), np.bool_)
    for end in ("source", "destination"):
        four &= flows[f"{end}_address_hi"] == 0
        four &= flows[f"{end}_address_lo"] >> _HALF == _MAPPED
    if four.all():
        return slice(None), slice(0)
    if not four.any():
        return slice(0), slice(None)
    return np.flatnonzero(four), np.flatnonzero(~four)


def _records(layout: _Layout, flows: FlowBatch, rows: npt.NDArray[np.intp] | slice) -> npt.NDArray[Any]:
    """Return records as they stand in a message, one array of structures."""
    ends = {name: flows[f"{name[:-3]}_address_{name[-2:]}"][rows] for name in _HALVES}
    records = np.empty(len(ends["source_lo"]), layout.record)
    if layout.fields[0].octets == 4:
        for name in ("source", "destination"):
            records[name] = ends[f"{name}_lo"] & _LOW
    else:
        for name, column in ends.items():
            records[name] = column
    for one in layout.fields[2:]:
        values = flows.columns[one.column][rows]
        records[one.column] = np.maximum(values, 0) if one.column in _SIGNED else values
    return records


def _templates(layouts: Sequence[_Layout], seconds: int, sequence: int, domain: int) -> bytes:
    """Return a message with the templates of both families."""
    body = b"".join(layout.template() for layout in layouts)
    length = HEADER_OCTETS + SET_HEADER_OCTETS + len(body)
    head = _HEADER.pack(VERSION, length, seconds, sequence, domain & _SEQUENCE_MASK)
    return head + _PAIR.pack(TEMPLATE_SET, length - HEADER_OCTETS) + body

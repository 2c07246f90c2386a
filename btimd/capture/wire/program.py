"""A template as the kernel sees it: where in the record each thing stands that a flow record needs."""

from dataclasses import dataclass
from typing import Final

from btimd.capture.wire.templates import NETFLOW_V9, VARIABLE_LENGTH, Field, Template
from btimd.kernels import flowrecords as fr

REVERSE_PEN: Final = 29305  # RFC 5103
MIN_FLOW_OCTETS: Final = 8  # shorter records cannot name a flow, and would multiply memory
_IPV4_SLOTS: Final = frozenset({fr.S_SOURCE4, fr.S_DESTINATION4})
_IPV6_SLOTS: Final = frozenset({fr.S_SOURCE6, fr.S_DESTINATION6})

# Which element fills a slot: the first of the list that the template has.
_ELEMENTS: Final[dict[int, tuple[int, ...]]] = {
    fr.S_SOURCE4: (8,),
    fr.S_SOURCE6: (27,),
    fr.S_DESTINATION4: (12,),
    fr.S_DESTINATION6: (28,),
    fr.S_SOURCE_PORT: (7, 180, 182),
    fr.S_DESTINATION_PORT: (11, 181, 183),
    fr.S_PROTOCOL: (4,),
    fr.S_CLASS: (5,),
    fr.S_FLAGS: (6,),
    fr.S_INGRESS: (10, 252),
    fr.S_EGRESS: (14, 253),
    fr.S_VLAN: (58, 243),
    fr.S_DIRECTION: (61,),
    # 23 and 24 count the same packets after a middlebox: only where nothing else is there.
    fr.S_OCTETS: (1, 85, 231, 23),
    fr.S_PACKETS: (2, 86, 298, 24),
    fr.S_INIT: (160,),
    fr.S_RATE: (34, 50),
    fr.S_INTERVAL: (305,),
    fr.S_SPACE: (306,),
    fr.S_SAMPLER: (48, 302),
}
_REVERSE_ELEMENTS: Final[dict[int, tuple[int, ...]]] = {
    fr.S_REVERSE_OCTETS: (1, 85),
    fr.S_REVERSE_PACKETS: (2, 86),
    fr.S_REVERSE_FLAGS: (6,),
    fr.S_REVERSE_CLASS: (5,),
}
_INITIATOR_OCTETS, _RESPONDER_OCTETS, _INITIATOR_PACKETS, _RESPONDER_PACKETS = 231, 232, 298, 299

# (start element, end element, how it is written), best first.
_Times = tuple[tuple[int, int, int], ...]
_EXACT_TIMES: Final[_Times] = (
    (152, 153, fr.TIME_MILLISECONDS),
    (156, 157, fr.TIME_NTP),
    (154, 155, fr.TIME_NTP),
    (158, 159, fr.TIME_DELTA_MICROSECONDS),
)
_UPTIME: Final[_Times] = ((22, 21, fr.TIME_UPTIME),)
_SECONDS: Final[_Times] = ((150, 151, fr.TIME_SECONDS),)
_EVENT_TIMES: Final[_Times] = (
    (323, 323, fr.TIME_MILLISECONDS),
    (325, 325, fr.TIME_NTP),
    (324, 324, fr.TIME_NTP),
    (322, 322, fr.TIME_SECONDS),
)
# v9 always says what its uptime means, IPFIX often does not.
_TIMES: Final[dict[bool, _Times]] = {
    True: (*_EXACT_TIMES, *_UPTIME, *_SECONDS, *_EVENT_TIMES),
    False: (*_EXACT_TIMES, *_SECONDS, *_UPTIME, *_EVENT_TIMES),
}
OPTIONS_THAT_MATTER: Final = frozenset({34, 50, 160, 305, 309})
_NTP_OCTETS: Final = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """A template compiled: one row of each kernel table. fields is empty where all lengths are fixed."""

    row: tuple[int, ...]
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    fields: tuple[tuple[int, int], ...]


def compile_template(template: Template, version: int) -> Layout:
    """Return the kernel's view of a template. T_FIELD_AT and T_RATE are left 0 for whoever owns the tables."""
    first: dict[tuple[int, int], int] = {}
    offsets: list[int] = []
    at = 0
    for index, field in enumerate(template.fields):
        first.setdefault((field.enterprise, field.element), index)
        offsets.append(at)
        at += 1 if field.length == VARIABLE_LENGTH else field.length
    row = [0] * fr.TEMPLATE_SIZE
    chosen: dict[int, int] = {}
    if not template.is_options:
        chosen = _choose(template.fields, first)
        _choose_times(template, first, version, chosen, row)
    row[fr.T_LENGTH] = template.minimum_octets
    row[fr.T_KIND] = _kind(template, chosen)
    row[fr.T_VARIABLE] = int(template.is_variable)
    row[fr.T_REVERSE] = int(fr.S_REVERSE_OCTETS in chosen or fr.S_REVERSE_PACKETS in chosen)
    slot_offsets, slot_lengths = [0] * fr.SLOTS, [0] * fr.SLOTS
    slot_of = {index: slot for slot, index in chosen.items()}
    if not template.is_variable:
        for slot, index in chosen.items():
            slot_offsets[slot], slot_lengths[slot] = offsets[index], template.fields[index].length
        return Layout(tuple(row), tuple(slot_offsets), tuple(slot_lengths), ())
    row[fr.T_FIELD_COUNT] = len(template.fields)
    pool = tuple((field.length, slot_of.get(index, -1)) for index, field in enumerate(template.fields))
    return Layout(tuple(row), tuple(slot_offsets), tuple(slot_lengths), pool)


def _usable(field: Field, slot: int) -> bool:
    if field.length == VARIABLE_LENGTH:
        return True
    if slot in _IPV4_SLOTS:
        return field.length == 4
    if slot in _IPV6_SLOTS:
        return field.length == 16
    return 1 <= field.length <= 8


def _choose(fields: tuple[Field, ...], first: dict[tuple[int, int], int]) -> dict[int, int]:
    chosen: dict[int, int] = {}
    for table, enterprise in ((_ELEMENTS, 0), (_REVERSE_ELEMENTS, REVERSE_PEN)):
        for slot, elements in table.items():
            for element in elements:
                index = first.get((enterprise, element))
                if index is not None and _usable(fields[index], slot):
                    chosen[slot] = index
                    break
    for slot, reverse, initiator, responder in (
        (fr.S_OCTETS, fr.S_REVERSE_OCTETS, _INITIATOR_OCTETS, _RESPONDER_OCTETS),
        (fr.S_PACKETS, fr.S_REVERSE_PACKETS, _INITIATOR_PACKETS, _RESPONDER_PACKETS),
    ):
        index = first.get((0, responder))
        by_initiator = slot not in chosen or chosen[slot] == first.get((0, initiator))
        if reverse not in chosen and index is not None and by_initiator and _usable(fields[index], reverse):
            chosen[reverse] = index
    return chosen


def _choose_times(
    template: Template, first: dict[tuple[int, int], int], version: int, chosen: dict[int, int], row: list[int]
) -> None:
    """Add the slots of start and end, in both directions, to `chosen`, and how they are written to `row`."""
    for starts, ends, enterprise in (
        ((fr.S_START, fr.T_START), (fr.S_END, fr.T_END), 0),
        ((fr.S_REVERSE_START, fr.T_REVERSE_START), (fr.S_REVERSE_END, fr.T_REVERSE_END), REVERSE_PEN),
    ):
        for side, (slot, kind) in enumerate((starts, ends)):
            found = _choose_time(template.fields, first, enterprise, side, version)
            # In a variable record a field has one slot only: where one event time is start and end, the start
            # suffices, because a missing end is the start.
            if found is not None and not (side and template.is_variable and found[0] == chosen.get(starts[0])):
                chosen[slot], row[kind] = found


def _choose_time(
    fields: tuple[Field, ...], first: dict[tuple[int, int], int], enterprise: int, side: int, version: int
) -> tuple[int, int] | None:
    """Return (field index, kind) of the best start (side 0) or end (side 1)."""
    for times in _TIMES[version == NETFLOW_V9]:
        kind = times[2]
        index = first.get((enterprise, times[side]))
        if index is None:
            continue
        length = fields[index].length
        if length == _NTP_OCTETS if kind == fr.TIME_NTP else 1 <= length <= 8:
            return index, kind
    return None


def _kind(template: Template, chosen: dict[int, int]) -> int:
    if template.is_options:
        matters = any(field.enterprise == 0 and field.element in OPTIONS_THAT_MATTER for field in template.fields)
        return fr.KIND_STOP if matters else fr.KIND_SKIP_OPTIONS
    names_a_flow = any(
        slot in chosen
        for slot in (fr.S_SOURCE4, fr.S_SOURCE6, fr.S_DESTINATION4, fr.S_DESTINATION6, fr.S_OCTETS, fr.S_PACKETS)
    )
    return fr.KIND_FLOW if names_a_flow and template.minimum_octets >= MIN_FLOW_OCTETS else fr.KIND_SKIP_DATA


def _fixed_layout(length: int, *, flags: int, protocol: int, tos: int) -> Layout:
    places = {
        fr.S_SOURCE4: (0, 4),
        fr.S_DESTINATION4: (4, 4),
        fr.S_INGRESS: (12, 2),
        fr.S_EGRESS: (14, 2),
        fr.S_PACKETS: (16, 4),
        fr.S_OCTETS: (20, 4),
        fr.S_START: (24, 4),
        fr.S_END: (28, 4),
        fr.S_SOURCE_PORT: (32, 2),
        fr.S_DESTINATION_PORT: (34, 2),
        fr.S_FLAGS: (flags, 1),
        fr.S_PROTOCOL: (protocol, 1),
        fr.S_CLASS: (tos, 1),
    }
    row = [0] * fr.TEMPLATE_SIZE
    row[fr.T_LENGTH] = length
    row[fr.T_START] = row[fr.T_END] = fr.TIME_UPTIME
    offsets, lengths = [0] * fr.SLOTS, [0] * fr.SLOTS
    for slot, (offset, octets) in places.items():
        offsets[slot], lengths[slot] = offset, octets
    return Layout(tuple(row), tuple(offsets), tuple(lengths), ())


FIXED_LAYOUTS: Final = (
    _fixed_layout(48, flags=37, protocol=38, tos=39),  # v5
    _fixed_layout(52, flags=40, protocol=38, tos=39),  # v1
    _fixed_layout(48, flags=40, protocol=38, tos=39),  # v1 as nfdump and softflowd read it
    _fixed_layout(52, flags=37, protocol=38, tos=39),  # v7
)
"""The layouts of the protocols without templates, in the order of fr.ROW_V5, ROW_V1, ROW_V1_SHORT, ROW_V7."""

"""A template as the kernel sees it: where in the record each thing stands that a flow record needs."""

from dataclasses import dataclass
from typing import Final

from btimd.capture.wire.templates import NETFLOW_V9, VARIABLE_LENGTH, Field, Template
from btimd.kernels import flowlayout as fl

REVERSE_PEN: Final = 29305  # RFC 5103
MIN_FLOW_OCTETS: Final = 8  # shorter records cannot name a flow, and would multiply memory
_IPV4_SLOTS: Final = frozenset({fl.S_SOURCE4, fl.S_DESTINATION4})
_IPV6_SLOTS: Final = frozenset({fl.S_SOURCE6, fl.S_DESTINATION6})

# Which element fills a slot: the first of the list that the template has.
_ELEMENTS: Final[dict[int, tuple[int, ...]]] = {
    fl.S_SOURCE4: (8,),
    fl.S_SOURCE6: (27,),
    fl.S_DESTINATION4: (12,),
    fl.S_DESTINATION6: (28,),
    fl.S_SOURCE_PORT: (7, 180, 182),
    fl.S_DESTINATION_PORT: (11, 181, 183),
    fl.S_PROTOCOL: (4,),
    fl.S_CLASS: (5,),
    fl.S_FLAGS: (6,),
    fl.S_INGRESS: (10, 252),
    fl.S_EGRESS: (14, 253),
    fl.S_VLAN: (58, 243),
    fl.S_DIRECTION: (61,),
    # 23 and 24 count the same packets after a middlebox: only where nothing else is there.
    fl.S_OCTETS: (1, 85, 231, 23),
    fl.S_PACKETS: (2, 86, 298, 24),
    fl.S_INIT: (160,),
    fl.S_RATE: (34, 50),
    fl.S_INTERVAL: (305,),
    fl.S_SPACE: (306,),
    fl.S_SAMPLER: (48, 302),
}
_REVERSE_ELEMENTS: Final[dict[int, tuple[int, ...]]] = {
    fl.S_REVERSE_OCTETS: (1, 85),
    fl.S_REVERSE_PACKETS: (2, 86),
    fl.S_REVERSE_FLAGS: (6,),
    fl.S_REVERSE_CLASS: (5,),
}
_INITIATOR_OCTETS, _RESPONDER_OCTETS, _INITIATOR_PACKETS, _RESPONDER_PACKETS = 231, 232, 298, 299

# (start element, end element, how it is written), best first.
_Times = tuple[tuple[int, int, int], ...]
_EXACT_TIMES: Final[_Times] = (
    (152, 153, fl.TIME_MILLISECONDS),
    (156, 157, fl.TIME_NTP),
    (154, 155, fl.TIME_NTP),
    (158, 159, fl.TIME_DELTA_MICROSECONDS),
)
_UPTIME: Final[_Times] = ((22, 21, fl.TIME_UPTIME),)
_SECONDS: Final[_Times] = ((150, 151, fl.TIME_SECONDS),)
_EVENT_TIMES: Final[_Times] = (
    (323, 323, fl.TIME_MILLISECONDS),
    (325, 325, fl.TIME_NTP),
    (324, 324, fl.TIME_NTP),
    (322, 322, fl.TIME_SECONDS),
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
    row = [0] * fl.TEMPLATE_SIZE
    chosen: dict[int, int] = {}
    if not template.is_options:
        chosen = _choose(template.fields, first)
        _choose_times(template, first, version, chosen, row)
    row[fl.T_LENGTH] = template.minimum_octets
    row[fl.T_KIND] = _kind(template, chosen)
    row[fl.T_VARIABLE] = int(template.is_variable)
    row[fl.T_REVERSE] = int(fl.S_REVERSE_OCTETS in chosen or fl.S_REVERSE_PACKETS in chosen)
    slot_offsets, slot_lengths = [0] * fl.SLOTS, [0] * fl.SLOTS
    slot_of = {index: slot for slot, index in chosen.items()}
    if not template.is_variable:
        for slot, index in chosen.items():
            slot_offsets[slot], slot_lengths[slot] = offsets[index], template.fields[index].length
        return Layout(tuple(row), tuple(slot_offsets), tuple(slot_lengths), ())
    row[fl.T_FIELD_COUNT] = len(template.fields)
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
        (fl.S_OCTETS, fl.S_REVERSE_OCTETS, _INITIATOR_OCTETS, _RESPONDER_OCTETS),
        (fl.S_PACKETS, fl.S_REVERSE_PACKETS, _INITIATOR_PACKETS, _RESPONDER_PACKETS),
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
        ((fl.S_START, fl.T_START), (fl.S_END, fl.T_END), 0),
        ((fl.S_REVERSE_START, fl.T_REVERSE_START), (fl.S_REVERSE_END, fl.T_REVERSE_END), REVERSE_PEN),
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
        if length == _NTP_OCTETS if kind == fl.TIME_NTP else 1 <= length <= 8:
            return index, kind
    return None


def _kind(template: Template, chosen: dict[int, int]) -> int:
    if template.is_options:
        matters = any(field.enterprise == 0 and field.element in OPTIONS_THAT_MATTER for field in template.fields)
        return fl.KIND_STOP if matters else fl.KIND_SKIP_OPTIONS
    names_a_flow = any(
        slot in chosen
        for slot in (fl.S_SOURCE4, fl.S_SOURCE6, fl.S_DESTINATION4, fl.S_DESTINATION6, fl.S_OCTETS, fl.S_PACKETS)
    )
    return fl.KIND_FLOW if names_a_flow and template.minimum_octets >= MIN_FLOW_OCTETS else fl.KIND_SKIP_DATA


def _fixed_layout(length: int, *, flags: int, protocol: int, tos: int) -> Layout:
    places = {
        fl.S_SOURCE4: (0, 4),
        fl.S_DESTINATION4: (4, 4),
        fl.S_INGRESS: (12, 2),
        fl.S_EGRESS: (14, 2),
        fl.S_PACKETS: (16, 4),
        fl.S_OCTETS: (20, 4),
        fl.S_START: (24, 4),
        fl.S_END: (28, 4),
        fl.S_SOURCE_PORT: (32, 2),
        fl.S_DESTINATION_PORT: (34, 2),
        fl.S_FLAGS: (flags, 1),
        fl.S_PROTOCOL: (protocol, 1),
        fl.S_CLASS: (tos, 1),
    }
    row = [0] * fl.TEMPLATE_SIZE
    row[fl.T_LENGTH] = length
    row[fl.T_START] = row[fl.T_END] = fl.TIME_UPTIME
    offsets, lengths = [0] * fl.SLOTS, [0] * fl.SLOTS
    for slot, (offset, octets) in places.items():
        offsets[slot], lengths[slot] = offset, octets
    return Layout(tuple(row), tuple(offsets), tuple(lengths), ())


FIXED_LAYOUTS: Final = (
    _fixed_layout(48, flags=37, protocol=38, tos=39),  # v5
    _fixed_layout(52, flags=40, protocol=38, tos=39),  # v1
    _fixed_layout(48, flags=40, protocol=38, tos=39),  # v1 as nfdump and softflowd read it
    _fixed_layout(52, flags=37, protocol=38, tos=39),  # v7
)
"""The layouts of the protocols without templates, in the order of fl.ROW_V5, ROW_V1, ROW_V1_SHORT, ROW_V7."""

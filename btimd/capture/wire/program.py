"""A template as the kernel sees it: where in the record each thing stands that a flow record needs."""

from dataclasses import dataclass
from typing import Final

from btimd.capture.wire.templates import NETFLOW_V9, VARIABLE_LENGTH, Field, Template
from btimd.kernels import flowlayout as fl

REVERSE_PEN: Final = 29305  # RFC 5103
MIN_FLOW_OCTETS: Final = 8  # shorter records cannot name a flow, and would multiply memory

# Fields that are no integers, and the only length that they can have.
_LENGTHS: Final[dict[int, int]] = {
    fl.S_SOURCE4: 4, fl.S_DESTINATION4: 4, fl.S_POST_SOURCE4: 4, fl.S_POST_DESTINATION4: 4,
    fl.S_SOURCE6: 16, fl.S_DESTINATION6: 16, fl.S_POST_SOURCE6: 16, fl.S_POST_DESTINATION6: 16,
    fl.S_EXTRA + fl.X_MPLS_LABEL: 3, fl.S_EXTRA + fl.X_SOURCE_MAC: 6, fl.S_EXTRA + fl.X_DESTINATION_MAC: 6,
}  # fmt: skip

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
    fl.S_VLAN: (58, 243, 245, 59, 254),
    fl.S_DIRECTION: (61,),
    # 23 and 24 count the same packets after a middlebox: only where nothing else is there.
    fl.S_OCTETS: (1, 85, 231, 23),
    fl.S_PACKETS: (2, 86, 298, 24),
    fl.S_INIT: (160,),
    fl.S_RATE: (34, 50),
    fl.S_INTERVAL: (305,),
    fl.S_SPACE: (306,),
    fl.S_SAMPLER: (48, 302),
    # From 40001 on: how Cisco's firewalls called these before IANA gave them numbers.
    fl.S_POST_SOURCE4: (225, 40001),
    fl.S_POST_SOURCE6: (281,),
    fl.S_POST_DESTINATION4: (226, 40002),
    fl.S_POST_DESTINATION6: (282,),
    fl.S_EXTRA + fl.X_POST_SOURCE_PORT: (227, 40003),
    fl.S_EXTRA + fl.X_POST_DESTINATION_PORT: (228, 40004),
    fl.S_EXTRA + fl.X_NAT_EVENT: (230,),
    fl.S_EXTRA + fl.X_FIREWALL_EVENT: (233, 40005),
    fl.S_EXTRA + fl.X_FORWARDING_STATUS: (89,),
    fl.S_EXTRA + fl.X_LAYER2_OCTETS: (352, 353, 417, 312),
    fl.S_EXTRA + fl.X_INGRESS_VRF: (234,),
    fl.S_EXTRA + fl.X_EGRESS_VRF: (235,),
    fl.S_EXTRA + fl.X_APPLICATION: (95,),
    fl.S_EXTRA + fl.X_MPLS_LABEL: (70,),
    fl.S_EXTRA + fl.X_SOURCE_MAC: (56, 81),
    fl.S_EXTRA + fl.X_DESTINATION_MAC: (80, 57),
    fl.S_ICMP4: (32,),
    fl.S_ICMP6: (139,),
    fl.S_ICMP_TYPE4: (176,),
    fl.S_ICMP_CODE4: (177,),
    fl.S_ICMP_TYPE6: (178,),
    fl.S_ICMP_CODE6: (179,),
    fl.S_FRAME: (315, 104, 313, 317),
    fl.S_FRAME_OCTETS: (410,),
    fl.S_FRAME_OFFSET: (409, 102),
    fl.S_FRAME_TYPE: (408,),
}
# A packet section's link type, in sFlow's numbers, which kernels/headers.py takes: Ethernet, or IP of either version.
_SECTION_LINKS: Final[dict[int, int]] = {315: 1, 104: 1, 313: 11, 317: 11}
_ADDRESS_SLOTS: Final = (fl.S_SOURCE4, fl.S_SOURCE6, fl.S_DESTINATION4, fl.S_DESTINATION6)
_LAYER2_SLOT: Final = fl.S_EXTRA + fl.X_LAYER2_OCTETS
_EVENT_SLOT: Final = fl.S_EXTRA + fl.X_FIREWALL_EVENT
_ICMP_SLOTS: Final = frozenset(range(fl.S_ICMP4, fl.S_ICMP_CODE6 + 1))
_EXTRA_SLOTS: Final = frozenset(range(fl.S_EXTRA, fl.S_EXTRA + fl.EXTRAS))
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
    for index, field in enumerate(template.fields):
        first.setdefault((field.enterprise, field.element), index)
    row = [0] * fl.TEMPLATE_SIZE
    chosen: dict[int, int] = {}
    if not template.is_options:
        chosen = _choose(template.fields, first)
        _choose_packet_section(template.fields, chosen, row)
        _choose_times(template, first, version, chosen, row)
        _choose_counters(template.fields, chosen, row)
    row[fl.T_LENGTH] = template.minimum_octets
    if row[fl.T_PACKET] and template.is_variable:
        row[fl.T_LENGTH] = max(template.minimum_octets, MIN_FLOW_OCTETS)  # a shorter section has no header in it
    row[fl.T_KIND] = _kind(template, chosen, row[fl.T_LENGTH])
    row[fl.T_REVERSE] = int(fl.S_REVERSE_OCTETS in chosen or fl.S_REVERSE_PACKETS in chosen)
    row[fl.T_ICMP] = int(not _ICMP_SLOTS.isdisjoint(chosen))
    row[fl.T_EXTRA] = int(row[fl.T_PACKET] != 0 or not _EXTRA_SLOTS.isdisjoint(chosen))
    offsets, lengths, fields = _place(template.fields, chosen)
    if fields:
        row[fl.T_VARIABLE] = 2 if any(code & 0xFF for _, code in fields) else 1
        row[fl.T_FIELD_COUNT] = len(fields)
    return Layout(tuple(row), tuple(offsets), tuple(lengths), fields)


def _place(  # noqa: C901  one branch per kind of field
    fields: tuple[Field, ...], chosen: dict[int, int]
) -> tuple[list[int], list[int], tuple[tuple[int, int], ...]]:
    """Return offsets and lengths by slot, and the kernel's list of runs and variable fields (see flowlayout).

    Fields in more segments than the kernel follows are left out.
    """
    slots_of: dict[int, list[int]] = {}
    for slot, index in chosen.items():
        slots_of.setdefault(index, []).append(slot)
    offsets, lengths = [0] * fl.SLOTS, [0] * fl.SLOTS
    rows: list[tuple[int, int]] = []
    segments = 1
    segment = at = run = 0
    for index, field in enumerate(fields):
        slots = slots_of.get(index, ())
        if field.length != VARIABLE_LENGTH:
            if slots and segment < 0 and segments < fl.SEGMENTS:
                # The first used field behind a variable one: its segment begins there.
                segment, segments = segments, segments + 1
                length, code = rows[-1]
                rows[-1] = (length, code | segment << 16)
            if segment >= 0:
                for slot in slots:
                    offsets[slot], lengths[slot] = segment << fl.SEGMENT_SHIFT | at, field.length
            at += field.length
            run += field.length
            continue
        if run:
            rows.append((run, 0))
            run = 0
        code = 0
        if slots and segments < fl.SEGMENTS:
            code = slots[0] + 1 | segments << 8
            offsets[slots[0]] = segments << fl.SEGMENT_SHIFT
            segments += 1
        rows.append((VARIABLE_LENGTH, code))
        segment, at = -1, 0
    if not any(length == VARIABLE_LENGTH for length, _ in rows):
        return offsets, lengths, ()
    if run:
        rows.append((run, 0))
    return offsets, lengths, tuple(rows)


def _usable(field: Field, slot: int) -> bool:
    if field.length == VARIABLE_LENGTH or slot == fl.S_FRAME:
        return field.length > 0
    return field.length == _LENGTHS[slot] if slot in _LENGTHS else 1 <= field.length <= 8


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
    if fl.S_SPACE not in chosen:
        chosen.pop(fl.S_INTERVAL, None)  # 305 alone says nothing (see sampling.py)
    return chosen


def _choose_packet_section(fields: tuple[Field, ...], chosen: dict[int, int], row: list[int]) -> None:
    """Let the section of a packet make the record where nothing else names addresses."""
    index = chosen.get(fl.S_FRAME)
    if index is None or any(slot in chosen for slot in _ADDRESS_SLOTS):
        chosen.pop(fl.S_FRAME, None)
        return
    row[fl.T_PACKET] = _SECTION_LINKS[fields[index].element]
    row[fl.T_QUALITY] |= fl.Q_PACKET


def _choose_counters(fields: tuple[Field, ...], chosen: dict[int, int], row: list[int]) -> None:
    """Decide what stands in for octets, and whether they are those of a firewall's events."""
    index = chosen.get(fl.S_OCTETS)
    if index is None and not row[fl.T_PACKET]:
        layer2 = chosen.get(_LAYER2_SLOT)
        if layer2 is None or fields[layer2].length == VARIABLE_LENGTH:
            row[fl.T_QUALITY] |= fl.Q_NO_COUNTERS
        else:
            chosen[fl.S_OCTETS] = layer2
            row[fl.T_QUALITY] |= fl.Q_LAYER2
    elif index is not None and fields[index].element == _INITIATOR_OCTETS and _EVENT_SLOT in chosen:
        began = chosen.get(fl.S_START)
        row[fl.T_EVENTS] = 1 if began is not None and began != chosen.get(fl.S_END) else 2


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
            if found is not None:
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
        if length == _NTP_OCTETS if kind == fl.TIME_NTP else 1 <= length <= 8 or length == VARIABLE_LENGTH:
            return index, kind
    return None


def _kind(template: Template, chosen: dict[int, int], shortest: int) -> int:
    if template.is_options:
        matters = any(field.enterprise == 0 and field.element in OPTIONS_THAT_MATTER for field in template.fields)
        return fl.KIND_STOP if matters else fl.KIND_SKIP_OPTIONS
    names_a_flow = any(slot in chosen for slot in (*_ADDRESS_SLOTS, fl.S_OCTETS, fl.S_PACKETS, fl.S_FRAME))
    return fl.KIND_FLOW if names_a_flow and shortest >= MIN_FLOW_OCTETS else fl.KIND_SKIP_DATA


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

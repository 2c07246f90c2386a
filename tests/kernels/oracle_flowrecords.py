"""What the columns of a flow record must be, in obvious Python from the raw record: the kernel's second opinion."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from ipaddress import IPv6Address, ip_address

from btimd.capture.wire.records import FieldRecord, FixedRecord

Row = dict[str, int | str]
DAY, HOUR = 86_400_000, 3_600_000


def _address(*, v4: bytes | None, v6: bytes | None) -> str:
    if v6 is not None and len(v6) == 16 and any(v6):
        address = IPv6Address(v6)
        return str(address.ipv4_mapped or address)
    if v4 is not None and len(v4) == 4:
        return str(ip_address(v4))
    return "::"


class Oracle:
    """Knows what exporters announced, and says for each record which rows it makes."""

    def __init__(self, shortest: int = 8) -> None:
        self.shortest = shortest
        self.init: dict[tuple[str, int, int], int] = {}
        self.rates: dict[tuple[object, ...], int] = {}
        self.updated: dict[tuple[str, int, int], int] = {}

    def rows(self, record: FixedRecord | FieldRecord, exporter: str, arrival: int) -> Iterator[Row]:
        """Yield the rows of one record, in wire order of calls."""
        if isinstance(record, FixedRecord):
            yield from self._fixed(record, exporter, arrival)
            return
        fields: dict[tuple[int, int], bytes] = {}
        for enterprise, element, value in record.fields:
            fields.setdefault((enterprise, element), value)
        if record.is_options:
            self._learn(record, fields)
        elif _names_a_flow(fields) and sum(len(value) for _, _, value in record.fields) >= self.shortest:
            yield from self._data(record, fields, arrival)

    def _fixed(self, record: FixedRecord, exporter: str, arrival: int) -> Iterator[Row]:
        if not record.valid:
            return
        export = record.unix_secs * 1000 + record.unix_nsecs // 1_000_000
        times: list[int | None] = [_uptime(export, record.sys_uptime, x) for x in (record.first_ms, record.last_ms)]
        if record.first_ms == record.last_ms == 0:
            times = [None, None]
        start, end = _settle(times[0], times[1], arrival)
        yield {
            "exporter": exporter, "domain": record.engine, "start": start, "end": end, "source": record.src,
            "destination": record.dst, "sport": record.sport, "dport": record.dport, "protocol": record.proto,
            "class": record.tos, "flags": record.flags, "ingress": record.inif, "egress": record.outif, "vlan": 0,
            "direction": 0, "octets": record.octets, "packets": record.packets,
            "rate": (record.sampling % (1 << 14)) or 1,
        }  # fmt: skip

    def _learn(self, record: FieldRecord, fields: dict[tuple[int, int], bytes]) -> None:
        def number(element: int) -> int:
            value = fields.get((0, element), b"")
            return int.from_bytes(value, "big") if len(value) <= 8 else 0

        owner = (record.exporter, record.version, record.domain)
        if number(160):
            self.init[owner] = number(160)
        rate = number(50) or number(34) or min(number(305), 1)
        if number(309):
            rate = number(310) // number(309)
        if number(305) and (0, 306) in fields:
            rate = int(Fraction(number(305) + number(306), number(305)))
        if not 0 < rate <= 1 << 24:
            return
        for element in (48, 302):
            if (0, element) in fields:
                self.rates["sampler", owner, number(element)] = rate
                self.rates["sampler", record.exporter, number(element)] = rate
                break
        if (0, 145) in fields:
            self.rates["template", owner, number(145)] = rate
        self.rates["domain", owner] = rate
        self.rates["exporter", record.exporter] = rate

    def _data(  # noqa: C901  one branch per kind of record
        self, record: FieldRecord, fields: dict[tuple[int, int], bytes], arrival: int
    ) -> Iterator[Row]:
        def number(*elements: int, enterprise: int = 0) -> int:
            for element in elements:
                value = fields.get((enterprise, element), b"")
                if 1 <= len(value) <= 8:
                    return int.from_bytes(value, "big")
            return 0

        def counted_by(*elements: int) -> int | None:
            return next((element for element in elements if 1 <= len(fields.get((0, element), b"")) <= 8), None)

        def counter(value: int) -> int:
            return value if value <= 1 << 48 else 0

        start, end = _settle(*self._times(record, fields, 0), arrival)
        counts = True
        if counted_by(1, 85, 231, 23) == 231 and counted_by(233, 40005):
            start, counts = self._event(record, number(233, 40005), start, end, has_age=(0, 152) in fields)
        forward: Row = {
            "exporter": record.exporter, "domain": record.domain, "start": start, "end": end,
            "source": _address(v4=fields.get((0, 8)), v6=fields.get((0, 27))),
            "destination": _address(v4=fields.get((0, 12)), v6=fields.get((0, 28))),
            "sport": number(7, 180, 182) % 65536, "dport": number(11, 181, 183) % 65536, "protocol": number(4) % 256,
            "class": number(5) % 256, "flags": number(6) % 65536, "ingress": number(10, 252) % (1 << 32),
            "egress": number(14, 253) % (1 << 32), "vlan": number(58, 243, 245, 59, 254) % 65536, "direction": number(61) % 256,
            "octets": counts * counter(number(1, 85, 231, 23) if counted_by(1, 85, 231, 23) else number(352, 353, 417, 312)),
            "packets": counts * counter(number(2, 86, 298, 24)),
            "rate": self._rate(record, fields),
        }  # fmt: skip
        if forward["protocol"] in {1, 58} and not forward["dport"]:
            forward["dport"] = _icmp(number, six=forward["protocol"] == 58)
        section = next((element for element in (315, 104, 313, 317) if fields.get((0, element))), None)
        if section and forward["source"] == forward["destination"] == "::" and not _has_address(fields):
            seen = fields[0, section][: number(410) or None]
            if not number(409, 102) and number(408) <= 1:  # otherwise it does not begin with an Ethernet frame
                forward |= _packet(seen, is_frame=section not in {313, 317}, forward=forward)
            forward["packets"] = forward["packets"] if counted_by(2, 86, 298, 24) else 1
            if counted_by(1, 85, 231, 23):
                forward["octets"] = counter(number(1, 85, 231, 23))
            elif not forward["octets"]:
                forward["octets"] = counter(number(352, 353, 417, 312))
        yield forward
        if not counts:
            return
        octets, packets = number(1, 85, enterprise=29305), number(2, 86, enterprise=29305)
        # The responder's counters belong to the initiator's, not to counters of another kind.
        if counted_by(1, 85, 231, 23) in {None, 231} and not {(29305, 1), (29305, 85)} & fields.keys():
            octets = number(232)
        if counted_by(2, 86, 298, 24) in {None, 298} and not {(29305, 2), (29305, 86)} & fields.keys():
            packets = number(299)
        octets, packets = counter(octets), counter(packets)
        if octets or packets:
            times = self._times(record, fields, 29305)
            if times != (None, None):
                own_start, own_end = times
                start, end = _settle(
                    start if own_start is None else own_start, end if own_end is None else own_end, arrival
                )
            yield {
                **forward, "source": forward["destination"], "destination": forward["source"],
                "sport": forward["dport"], "dport": forward["sport"], "ingress": forward["egress"],
                "egress": forward["ingress"], "octets": octets, "packets": packets,
                "flags": number(6, enterprise=29305) % 65536, "start": start, "end": end,
                "class": number(5, enterprise=29305) if (29305, 5) in fields else forward["class"],
            }  # fmt: skip

    def _event(self, record: FieldRecord, event: int, start: int, end: int, *, has_age: bool) -> tuple[int, bool]:
        """Return the start and whether the counters of a firewall's event count."""
        owner = (record.exporter, record.version, record.domain)
        age = end - start if has_age else 0
        if event == 5:
            self.updated[owner] = max(min(age, self.updated.get(owner, age)), 58_000)
            return max(start, end - self.updated[owner]), True
        if event == 2:
            return start, owner not in self.updated or (has_age and age < self.updated[owner])
        return start, event not in {1, 3}

    def _rate(self, record: FieldRecord, fields: dict[tuple[int, int], bytes]) -> int:
        owner = (record.exporter, record.version, record.domain)
        values = {element: int.from_bytes(value, "big") for (pen, element), value in fields.items() if pen == 0}
        own = values.get(34) or values.get(50)
        if not own and values.get(305) and 306 in values:
            own = (values[305] + values[306]) // values[305]
        keys: list[tuple[object, ...]] = []
        for element in (48, 302):
            if element in values:
                keys += [("sampler", owner, values[element]), ("sampler", record.exporter, values[element])]
                break
        keys += [("template", owner, record.set_id), ("domain", owner), ("exporter", record.exporter)]
        return own or next((self.rates[key] for key in keys if key in self.rates), 1)

    def _times(
        self, record: FieldRecord, fields: dict[tuple[int, int], bytes], pen: int
    ) -> tuple[int | None, int | None]:
        export = record.export_seconds * 1000
        order = [
            "152 153",
            "156 157",
            "154 155",
            "158 159",
            "22 21",
            "150 151",
            "323 323",
            "325 325",
            "324 324",
            "322 322",
        ]
        if record.version == 10:
            order.remove("22 21")
            order.insert(5, "22 21")
        found: list[int | None] = [None, None]
        chosen = ["", ""]
        for side in (0, 1):
            for pair in order:
                element = pair.split()[side]
                value = fields.get((pen, int(element)))
                if value is None or not 1 <= len(value) <= 8 or (element in "154155156157324325" and len(value) != 8):
                    continue
                chosen[side] = element
                found[side] = self._moment(record, fields, int(element), int.from_bytes(value, "big"), export)
                break
        if chosen == ["22", "21"]:
            first, last = (int.from_bytes(fields[pen, int(element)], "big") for element in chosen)
            if first == last == 0:
                return None, None
            if found == [None, None]:
                return export - min((last - first) % (1 << 32), DAY), export
        return found[0], found[1]

    def _moment(  # noqa: PLR0911  one line per kind of time
        self, record: FieldRecord, fields: dict[tuple[int, int], bytes], element: int, number: int, export: int
    ) -> int | None:
        if element in {22, 21}:
            if record.version == 9:
                return _uptime(export, record.uptime_milliseconds, number)
            own = int.from_bytes(fields.get((0, 160), b""), "big")
            began = own or self.init.get((record.exporter, record.version, record.domain), 0)
            return _uptime(export, export - began, number) if began else None
        if element in {158, 159}:
            return export - number // 1000
        if not number:
            return None
        if element in {152, 153, 323}:
            return number
        if element in {150, 151, 322}:
            return number * 1000
        seconds = Fraction(number, 1 << 32)
        seconds += (1 << 32) if seconds < 2_208_988_800 else 0
        return int((seconds - 2_208_988_800) * 1000)


def _has_address(fields: dict[tuple[int, int], bytes]) -> bool:
    return any(len(fields.get((0, element), b"")) == size for element, size in ((8, 4), (12, 4), (27, 16), (28, 16)))


def _names_a_flow(fields: dict[tuple[int, int], bytes]) -> bool:
    sizes = {element: len(value) for (pen, element), value in fields.items() if pen == 0}
    counters = (1, 2, 85, 86, 231, 298, 23, 24, 352, 353, 417, 312)
    return (
        _has_address(fields)
        or any(1 <= sizes.get(element, 0) <= 8 for element in counters)
        or any(sizes.get(element) for element in (315, 104, 313, 317))
    )


def _icmp(number: Callable[..., int], *, six: bool) -> int:
    four = number(32) or number(176) % 256 * 256 + number(177) % 256
    return ((six and (number(139) or number(178) % 256 * 256 + number(179) % 256)) or four) % 65536


def _frame(octets: bytes) -> tuple[bytes, dict[str, int]]:
    """Return the IP packet in an Ethernet frame, and the outer VLAN where there is one."""
    found: dict[str, int] = {}
    kind, octets = octets[12:14], octets[14:]
    while kind in {b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x92\x00"}:
        found.setdefault("vlan", int.from_bytes(octets[:2], "big") & 0xFFF)
        kind, octets = octets[2:4], octets[4:]
    if kind == b"\x88\x47":
        while not octets[2] & 1:
            octets = octets[4:]
        octets = octets[4:]
        if octets[0] >> 4 not in {4, 6}:  # a pseudowire, with a control word where the label is not the MAC's
            inner, more = _frame(octets[4:] if octets[0] >> 4 == 0 else octets)
            return inner, more | found
    elif kind == b"\x88\xe7":  # Ethernet in Ethernet, 802.1ah
        inner, more = _frame(octets[4:])
        return inner, more | found
    elif kind == b"\x88\x64":  # PPPoE
        octets = octets[8:] if octets[6:8] in {b"\x00\x21", b"\x00\x57"} else b""
    elif kind not in {b"\x08\x00", b"\x86\xdd"}:
        octets = b""
    return octets, found


def _ip(octets: bytes) -> tuple[Row, bytes]:
    """Return what an IP header says, and what follows the header and its extensions; nothing of later fragments."""
    if octets[0] >> 4 == 4:
        row: Row = {
            "class": octets[1], "protocol": octets[9], "octets": int.from_bytes(octets[2:4], "big"),
            "source": _address(v4=octets[12:16], v6=None), "destination": _address(v4=octets[16:20], v6=None),
        }  # fmt: skip
        later = int.from_bytes(octets[6:8], "big") & 0x1FFF
        return row, b"" if later else octets[octets[0] % 16 * 4 :]
    following, rest = octets[6], octets[40:]
    while following in {0, 43, 44, 60} and len(rest) >= 8:
        later = following == 44 and int.from_bytes(rest[2:4], "big") >> 3
        following, rest = rest[0], rest[8 if following == 44 else 8 + 8 * rest[1] :]
        if later:
            rest = b""
            break
    return {
        "class": int.from_bytes(octets[:2], "big") >> 4 & 255, "protocol": following,
        "octets": 40 + int.from_bytes(octets[4:6], "big"), "source": _address(v4=None, v6=octets[8:24]),
        "destination": _address(v4=None, v6=octets[24:40]),
    }, rest  # fmt: skip


def _packet(octets: bytes, *, is_frame: bool, forward: Row) -> Row:
    """Return what the headers of a packet say."""
    vlan: dict[str, int] = {}
    if is_frame:
        octets, vlan = _frame(octets)
    row: Row = {"octets": 0} if forward["vlan"] else {"octets": 0, **vlan}
    if len(octets) < 20:
        return row
    header, rest = _ip(octets)
    row |= header
    if row["protocol"] in {6, 17} and len(rest) >= 4:
        row |= {"sport": int.from_bytes(rest[:2], "big"), "dport": int.from_bytes(rest[2:4], "big")}
    if row["protocol"] == 6 and len(rest) > 13:
        row["flags"] = int.from_bytes(rest[12:14], "big") & 0x1FF
    if row["protocol"] in {1, 58}:
        row["dport"] = int.from_bytes(rest[:2], "big")
    return row


def _uptime(export: int, uptime: int, moment: int) -> int:
    behind = (uptime - moment) % (1 << 32)
    return export - (behind - (1 << 32) if behind >= 1 << 31 else behind)


def _settle(start: int | None, end: int | None, arrival: int) -> tuple[int, int]:
    if start is None and end is None:
        return arrival, arrival
    first = end if start is None else start
    last = start if end is None else end
    assert first is not None
    assert last is not None
    first = min(first, last)
    return tuple(min(max(moment, arrival - DAY), arrival + HOUR) for moment in (first, last))  # type: ignore[return-value]

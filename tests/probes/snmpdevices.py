"""Devices as tables of object identifiers: a Cisco-like and a Huawei-like switch, and an agent that answers from memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from btimd.probes.mibs import RowBounds, full_steps
from btimd.probes.snmpsession import Answer, Answered, Get, Oid, Request, Session, SessionLimits, Step, Value

INTEGER, OCTETS, OBJECT_ID, ADDRESS, COUNTER, GAUGE, TICKS, COUNTER64 = "2", "4x", "6", "64", "65", "66", "67", "70"
MIB_2 = "1.3.6.1.2.1"
LLDP = "1.0.8802.1.1.2.1"
CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1"
IF, IFX = f"{MIB_2}.2.2.1", f"{MIB_2}.31.1.1.1"
ALL = ("addresses", "entity", "lldp", "cdp", "arp", "fdb", "routes")


EVERYTHING = full_steps(ALL, RowBounds())
LIMITS = SessionLimits()


@dataclass(frozen=True, slots=True)
class Record:
    """One object. tag: as in snmpsim's .snmprec files. rate: a counter that grows by so much a second from value."""

    oid: str
    tag: str
    value: int | str | bytes
    rate: int = 0

    @property
    def numbers(self) -> Oid:
        return tuple(map(int, self.oid.split(".")))

    @property
    def plain(self) -> Value:
        if isinstance(self.value, int):
            return self.value
        if self.tag == OBJECT_ID:
            return tuple(map(int, str(self.value).split(".")))
        if self.tag == ADDRESS:
            return bytes(map(int, str(self.value).split(".")))
        return self.value.encode() if isinstance(self.value, str) else self.value

    @property
    def line(self) -> str:
        if self.rate:
            return f"{self.oid}|{self.tag}:numeric|rate={self.rate},initial={self.value!s},cumulative=1"
        if self.tag == OCTETS:
            return f"{self.oid}|4x|{self.plain.hex() if isinstance(self.plain, bytes) else ''}"
        return f"{self.oid}|{self.tag}|{self.value!s}"


def dotted(octets: bytes) -> str:
    return ".".join(map(str, octets))


def system(name: str, description: str, object_id: str) -> list[Record]:
    return [
        Record(f"{MIB_2}.1.1.0", OCTETS, description),
        Record(f"{MIB_2}.1.2.0", OBJECT_ID, object_id),
        Record(f"{MIB_2}.1.3.0", TICKS, 1_234_500),
        Record(f"{MIB_2}.1.5.0", OCTETS, name),
        Record(f"{MIB_2}.1.6.0", OCTETS, "Room 1\r\nRack 2"),
        Record(f"{MIB_2}.31.1.5.0", TICKS, 500),
    ]


def interface(
    index: int,
    *,
    name: str,
    description: str,
    mac: bytes,
    megabits: int,
    up: bool = True,
    alias: str = "",
    rate: int = 0,
) -> list[Record]:
    speed = min(megabits * 1_000_000, 0xFFFF_FFFF)
    counters = [(10, 20_000), (13, 1), (14, 2), (16, 30_000), (19, 3), (20, 4)]
    return [
        Record(f"{IF}.2.{index}", OCTETS, description),
        Record(f"{IF}.3.{index}", INTEGER, 6),
        Record(f"{IF}.5.{index}", GAUGE, speed),
        Record(f"{IF}.6.{index}", OCTETS, mac),
        Record(f"{IF}.7.{index}", INTEGER, 1),
        Record(f"{IF}.8.{index}", INTEGER, 1 if up else 2),
        Record(f"{IF}.9.{index}", TICKS, 4_500),
        *(Record(f"{IF}.{column}.{index}", COUNTER, value) for column, value in counters),
        Record(f"{IFX}.1.{index}", OCTETS, name),
        Record(f"{IFX}.6.{index}", COUNTER64, 1 << 40, rate),
        Record(f"{IFX}.10.{index}", COUNTER64, 1 << 41, 2 * rate),
        Record(f"{IFX}.15.{index}", GAUGE, megabits),
        Record(f"{IFX}.18.{index}", OCTETS, alias),
    ]


def lldp_neighbour(
    port: int, *, chassis: bytes, remote_port: str, name: str, address: bytes = b"", number: int = 1
) -> list[Record]:
    row = f"0.{port}.{number}"
    records = [
        Record(f"{LLDP}.4.1.1.4.{row}", INTEGER, 4),
        Record(f"{LLDP}.4.1.1.5.{row}", OCTETS, chassis),
        Record(f"{LLDP}.4.1.1.6.{row}", INTEGER, 5),
        Record(f"{LLDP}.4.1.1.7.{row}", OCTETS, remote_port),
        Record(f"{LLDP}.4.1.1.8.{row}", OCTETS, f"description of {remote_port}"),
        Record(f"{LLDP}.4.1.1.9.{row}", OCTETS, name),
    ]
    if address:
        records.append(Record(f"{LLDP}.4.2.1.3.{row}.1.{len(address)}.{dotted(address)}", INTEGER, 2))
    return records


def local_port(number: int, name: str) -> list[Record]:
    return [
        Record(f"{LLDP}.3.7.1.2.{number}", INTEGER, 5),
        Record(f"{LLDP}.3.7.1.3.{number}", OCTETS, name),
        Record(f"{LLDP}.3.7.1.4.{number}", OCTETS, name),
    ]


def mac(last: int, vendor: int = 0x00) -> bytes:
    return bytes((0x02, vendor, 0, 0, last >> 8, last & 255))


def cisco() -> list[Record]:
    """Twenty-four ports and an uplink; neighbours by CDP and LLDP; old tables of IP and bridging."""
    records = system("sw-access-1", "Cisco IOS Software, C2960X Software", "1.3.6.1.4.1.9.1.1208")
    for port in range(1, 25):
        records += interface(
            10100 + port,
            name=f"Gi1/0/{port}",
            description=f"GigabitEthernet1/0/{port}",
            mac=mac(port, 0xC1),
            megabits=1000,
            up=port != 24,
            alias=f"desk {port}" if port < 3 else "",
            rate=1000 * port,
        )
        records.append(Record(f"{MIB_2}.17.1.4.1.2.{port}", INTEGER, 10100 + port))
        records += local_port(port, f"Gi1/0/{port}")
    records += interface(
        10125, name="Te1/1/1", description="TenGigabitEthernet1/1/1", mac=mac(25, 0xC1), megabits=10_000, rate=900_000
    )
    records.append(Record(f"{MIB_2}.17.1.4.1.2.25", INTEGER, 10125))
    records += local_port(49, "Te1/1/1")  # LLDP counts on its own here
    records += [
        Record(f"{LLDP}.3.1.0", INTEGER, 4),
        Record(f"{LLDP}.3.2.0", OCTETS, mac(0, 0xC1)),
        *lldp_neighbour(
            49, chassis=mac(0, 0xB1), remote_port="XGigabitEthernet0/0/1", name="core-1", address=bytes((10, 0, 0, 2))
        ),
        Record(f"{CDP}.3.10101.1", INTEGER, 1),
        Record(f"{CDP}.4.10101.1", OCTETS, bytes((10, 0, 0, 77))),
        Record(f"{CDP}.6.10101.1", OCTETS, "SEP020000000001"),
        Record(f"{CDP}.7.10101.1", OCTETS, "Port 1"),
        Record(f"{CDP}.17.10101.1", OCTETS, ""),
        Record(f"{MIB_2}.4.20.1.2.10.0.0.1", INTEGER, 10125),
        Record(f"{MIB_2}.4.20.1.3.10.0.0.1", ADDRESS, "255.255.255.0"),
        Record(f"{MIB_2}.4.22.1.2.10125.10.0.0.2", OCTETS, mac(0, 0xB1)),
        Record(f"{MIB_2}.4.24.4.1.5.0.0.0.0.0.0.0.0.0.10.0.0.2", INTEGER, 10125),
        Record(f"{MIB_2}.47.1.1.1.1.2.1", OCTETS, "WS-C2960X-24TS-L"),
        Record(f"{MIB_2}.47.1.1.1.1.5.1", INTEGER, 3),
        Record(f"{MIB_2}.47.1.1.1.1.11.1", OCTETS, "FOC1234X0AB"),
        Record(f"{MIB_2}.47.1.1.1.1.13.1", OCTETS, "WS-C2960X-24TS-L"),
    ]
    for station in range(1, 41):
        address = mac(station, 0xE0)
        records.append(Record(f"{MIB_2}.17.4.3.1.2.{dotted(address)}", INTEGER, 1 + station % 23))
    records.append(Record(f"{MIB_2}.17.4.3.1.2.{dotted(mac(3, 0xC1))}", INTEGER, 3))  # its own
    return sorted(records, key=lambda record: record.numbers)


def huawei() -> list[Record]:
    """A core switch: saturated ifSpeed, Q-BRIDGE, new tables of IP, LLDP local ports numbered like bridge ports."""
    records = system("core-1", "S6730-H24X6C Huawei Versatile Routing Platform", "1.3.6.1.4.1.2011.2.23.690")
    for port in range(1, 9):
        records += interface(
            4 + port,
            name=f"XGigabitEthernet0/0/{port}",
            description=f"XGigabitEthernet0/0/{port}",
            mac=mac(0, 0xB1),  # one for all, as on many switches
            megabits=10_000,
            rate=1_000_000,
        )
        records.append(Record(f"{MIB_2}.17.1.4.1.2.{port}", INTEGER, 4 + port))
        records += local_port(port, f"XGigabitEthernet0/0/{port}")
    records += [
        Record(f"{LLDP}.3.1.0", INTEGER, 4),
        Record(f"{LLDP}.3.2.0", OCTETS, mac(0, 0xB1)),
        *lldp_neighbour(
            1, chassis=mac(0, 0xC1), remote_port="Te1/1/1", name="sw-access-1", address=bytes((10, 0, 0, 1)), number=7
        ),
        Record(f"{MIB_2}.4.34.1.3.1.4.10.0.0.2", INTEGER, 5),
        Record(f"{MIB_2}.4.34.1.4.1.4.10.0.0.2", INTEGER, 1),
        Record(f"{MIB_2}.4.34.1.5.1.4.10.0.0.2", OBJECT_ID, f"{MIB_2}.4.32.1.5.5.1.4.10.0.0.0.24"),
        Record(f"{MIB_2}.4.35.1.4.5.1.4.10.0.0.1", OCTETS, mac(0, 0xC1)),
        Record(f"{MIB_2}.4.24.7.1.7.1.4.10.1.0.0.16.2.0.0.1.4.10.0.0.1", INTEGER, 5),
    ]
    for station in range(1, 301):
        address = mac(station, 0xE1)
        vlan = 10 + station % 3
        records.append(Record(f"{MIB_2}.17.7.1.2.2.1.2.{vlan}.{dotted(address)}", INTEGER, 1 + station % 8))
    return sorted(records, key=lambda record: record.numbers)


def write_records(records: Sequence[Record], path: Path) -> None:
    """Write a .snmprec file for snmpsim."""
    path.write_text("".join(f"{record.line}\n" for record in records))


@dataclass
class Agent:
    """Answers from memory. most: values of an answer. twist: changes answers, for faults; asked: all requests."""

    objects: Mapping[Oid, Value]
    most: int = 1000
    twist: Callable[[int, Request, Answer], Answer] = lambda _number, _request, answer: answer
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sorted = sorted(self.objects)

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.twist(len(self.asked), request, self._honest(request))

    def _honest(self, request: Request) -> Answered:
        if isinstance(request, Get):
            return Answered(tuple((oid, self.objects.get(oid)) for oid in request.oids))
        found: list[tuple[Oid, Value]] = []
        cursors = list(request.oids)
        for _ in range(request.max_repetitions):
            for position, cursor in enumerate(cursors):
                later = next((oid for oid in self._sorted if oid > cursor), None)
                found.append((cursor, None) if later is None else (later, self.objects[later]))
                cursors[position] = cursor if later is None else later
        return Answered(tuple(found[: self.most]))


def agent(records: Sequence[Record]) -> Agent:
    return Agent({record.numbers: record.plain for record in records})


def poll(
    of: Agent,
    steps: Sequence[Step] = EVERYTHING,
    limits: SessionLimits = LIMITS,
    *,
    seconds_per_request: float = 0.1,
    expected: Mapping[str, int] | None = None,
) -> Session:
    """Go through a poll; each request takes a while. A poll that would not end fails the test."""
    now = 0.0
    session = Session(steps, limits, now, expected=expected)
    while (request := session.next(now)) is not None:
        now += seconds_per_request
        session.take(of.answer(request), int(now * 1000))
        assert session.requests <= 20_000
    return session

"""Hosts as tables of object identifiers: Windows, AIX, HP-UX, a Cisco router, a rack's sensors, a power supply."""

from tests.probes.snmpdevices import (
    COUNTER,
    COUNTER64,
    GAUGE,
    IF,
    IFX,
    INTEGER,
    MIB_2,
    OBJECT_ID,
    OCTETS,
    TICKS,
    Record,
    system,
)

HOST = f"{MIB_2}.25"
ENTERPRISES = "1.3.6.1.4.1"


def ordered(*groups: list[Record]) -> list[Record]:
    return sorted((record for group in groups for record in group), key=lambda record: record.numbers)


def storage(row: int, kind: int, name: str, unit: int, size: int, used: int) -> list[Record]:
    entry = f"{HOST}.2.3.1"
    return [
        Record(f"{entry}.2.{row}", OBJECT_ID, f"{HOST}.2.1.{kind}"),
        Record(f"{entry}.3.{row}", OCTETS, name),
        Record(f"{entry}.4.{row}", INTEGER, unit),
        Record(f"{entry}.5.{row}", INTEGER, size),
        Record(f"{entry}.6.{row}", INTEGER, used),
    ]


def processors(*loads: int) -> list[Record]:
    return [Record(f"{HOST}.3.3.1.2.{row}", INTEGER, load) for row, load in enumerate(loads, 1)]


def process(row: int, name: str, path: str, arguments: str) -> list[Record]:
    entry = f"{HOST}.4.2.1"
    return [
        Record(f"{entry}.2.{row}", OCTETS, name),
        Record(f"{entry}.4.{row}", OCTETS, path),
        Record(f"{entry}.5.{row}", OCTETS, arguments),
        Record(f"{entry}.7.{row}", INTEGER, 1),
    ]


def windows() -> list[Record]:
    gib = 2**30
    return ordered(
        system("WIN-ERP", "Hardware: Intel64 - Software: Windows Version 6.3", f"{ENTERPRISES}.311.1.1.3.1.2"),
        processors(92, 98),
        storage(1, 4, "C:\\ Label:System  Serial Number 1a2b3c4d", 4096, 100 * gib // 4096, 99 * gib // 4096),
        # 12 TiB in blocks of 4 KiB are more than 31 bits hold
        storage(
            2, 4, "D:\\ Label:Data  Serial Number 5e6f", 4096, 12 * 2**40 // 4096 - 2**32, 11 * 2**40 // 4096 - 2**32
        ),
        storage(3, 7, "E:\\", 0, 0, 0),
        storage(4, 3, "Virtual Memory", 65_536, 32 * gib // 65_536, 8 * gib // 65_536),
        storage(5, 2, "Physical Memory", 65_536, 16 * gib // 65_536, 8 * gib // 65_536),
        process(4, "System", "", ""),
        process(1216, "sqlservr.exe", "C:\\Program Files\\MSSQL\\Binn\\", "-sERP"),
    )


def aix() -> list[Record]:
    entry, paging = f"{ENTERPRISES}.2.6.191.6.2.1", f"{ENTERPRISES}.2.6.191.2.4.2.1"
    files = []
    for row, (path, size, free, inodes, used) in enumerate(
        (("/", 2048, 1024, 1000, 10), ("/home", 4096, 2048, 1000, 990)), 1
    ):
        files += [
            Record(f"{entry}.3.{row}", OCTETS, path),
            Record(f"{entry}.5.{row}", INTEGER, size),
            Record(f"{entry}.6.{row}", INTEGER, free),
            Record(f"{entry}.7.{row}", INTEGER, inodes),
            Record(f"{entry}.8.{row}", INTEGER, used),
        ]
    pages = [
        Record(f"{paging}.1.1", OCTETS, "hd6"),
        Record(f"{paging}.4.1", INTEGER, 8192),
        Record(f"{paging}.5.1", INTEGER, 97),
    ]
    return ordered(
        system("aix1", "IBM PowerPC CHRP Computer, AIX version: 07.01", f"{ENTERPRISES}.2.3.1.2.1.1.3"),
        processors(88, 90),  # what some releases make of an idle machine
        [Record(f"{ENTERPRISES}.2.6.191.1.2.1.0", INTEGER, 12)],
        files,
        pages,
    )


def hp_ux() -> list[Record]:
    entry, computer = f"{ENTERPRISES}.11.2.3.1.2.2.1", f"{ENTERPRISES}.11.2.3.1.1"
    kib = 1024
    return ordered(
        system("hpux1", "HP-UX hpux1 B.11.31 U ia64", f"{ENTERPRISES}.11.2.3.2.3"),
        [
            Record(f"{computer}.7.0", GAUGE, 4 * kib * kib),
            Record(f"{computer}.8.0", INTEGER, 8 * kib * kib),
            Record(f"{computer}.11.0", INTEGER, 4 * kib * kib),
            Record(f"{computer}.12.0", GAUGE, 3 * kib * kib),
            Record(f"{computer}.13.0", COUNTER, 2**32 - 50, 200),  # over its end between two readings
            Record(f"{computer}.14.0", COUNTER, 1000, 50),
            Record(f"{computer}.15.0", COUNTER, 5000, 100),
            Record(f"{computer}.16.0", COUNTER, 10, 50),
            Record(f"{entry}.4.64.1", INTEGER, 500_000),
            Record(f"{entry}.6.64.1", INTEGER, 299_520),
            Record(f"{entry}.7.64.1", INTEGER, 1024),
            Record(f"{entry}.8.64.1", INTEGER, 1000),
            Record(f"{entry}.9.64.1", INTEGER, 900),
            Record(f"{entry}.10.64.1", OCTETS, "/stand"),
        ],
    )


def cisco_router(rate: int) -> list[Record]:
    """Three ports of 1 Gbit/s, the first with so many octets a second; the second down, the third switched off."""
    cpu, pool = f"{ENTERPRISES}.9.9.109.1.1.1.1", f"{ENTERPRISES}.9.9.48.1.1.1"
    ports = []
    for row in (1, 2, 3):
        ports += [
            Record(f"{IF}.2.{row}", OCTETS, f"GigabitEthernet0/{row}"),
            Record(f"{IF}.5.{row}", GAUGE, 1_000_000_000),
            Record(f"{IF}.7.{row}", INTEGER, 2 if row == 3 else 1),
            Record(f"{IF}.8.{row}", INTEGER, 1 if row == 1 else 2),
            Record(f"{IF}.13.{row}", COUNTER, 0),
            Record(f"{IF}.14.{row}", COUNTER, 0),
            Record(f"{IF}.19.{row}", COUNTER, 0),
            Record(f"{IF}.20.{row}", COUNTER, 0),
            Record(f"{IFX}.1.{row}", OCTETS, f"Gi0/{row}"),
            Record(f"{IFX}.6.{row}", COUNTER64, 1 << 40, rate),
            Record(f"{IFX}.10.{row}", COUNTER64, 1 << 41, 1),
            Record(f"{IFX}.15.{row}", GAUGE, 1000),
            Record(f"{IFX}.18.{row}", OCTETS, "uplink" if row == 1 else ""),
        ]
    return ordered(
        system("router", "Cisco IOS Software, ISR", f"{ENTERPRISES}.9.1.1208"),
        ports,
        [Record(f"{cpu}.{column}.1", GAUGE, 61) for column in (4, 7)],
        [
            Record(f"{pool}.2.1", OCTETS, "Processor"),
            Record(f"{pool}.5.1", GAUGE, 300_000_000),
            Record(f"{pool}.6.1", GAUGE, 100_000_000),
        ],
    )


def sensors() -> list[Record]:
    entry, entity = f"{MIB_2}.99.1.1.1", f"{MIB_2}.47.1.1.1.1"
    rows = [
        (1, "Inlet temperature", 8, 9, 1, 315, 1),
        (2, "Fan 1", 10, 9, 0, 4200, 1),
        (3, "Fan 2", 10, 9, 0, 0, 3),
        (4, "PSU 1 output", 4, 8, 0, 11_980, 1),
        (5, "Outlet temperature", 8, 9, 1, 0, 2),
    ]
    records = []
    for row, name, kind, scale, precision, value, status in rows:
        records += [
            Record(f"{entity}.2.{row}", OCTETS, "sensor"),
            Record(f"{entity}.7.{row}", OCTETS, name),
            *(
                Record(f"{entry}.{column}.{row}", INTEGER, number)
                for column, number in enumerate((kind, scale, precision, value, status), 1)
            ),
        ]
    return ordered(system("rack", "Rack", f"{ENTERPRISES}.9.1.1"), records)


def ups(source: int = 5) -> list[Record]:
    entry = f"{MIB_2}.33.1"
    return ordered(
        system("ups", "UPS", f"{ENTERPRISES}.534.1"),
        [
            Record(f"{entry}.2.1.0", INTEGER, 2),
            Record(f"{entry}.2.2.0", INTEGER, 300),
            Record(f"{entry}.2.3.0", INTEGER, 4),
            Record(f"{entry}.2.4.0", INTEGER, 35),
            Record(f"{entry}.2.7.0", INTEGER, 25),
            Record(f"{entry}.4.1.0", INTEGER, source),
            Record(f"{entry}.4.4.1.5.1", INTEGER, 60),
            Record(f"{entry}.6.1.0", GAUGE, 1),
            Record(f"{entry}.6.2.1.2.1", OBJECT_ID, f"{entry}.6.3.2"),
            Record(f"{entry}.6.2.1.3.1", TICKS, 100),
        ],
    )

"""How busy a host is: processors and memory, from the tables that its agent has.

| agent | processors | memory |
|---|---|---|
| any with HOST-RESOURCES-MIB (RFC 2790) | hrProcessorLoad | hrStorageRam, hrStorageVirtualMemory |
| net-snmp (Linux, BSD, Solaris) | ssCpuIdle, laLoadInt; ssCpuRaw* just after its start | memTotalReal, memSysAvail, memTotalSwap |
| AIX | aixSeCPUUtilization | hrStorage, aixPageTable |
| HP-UX | ticks of computerSystem, between two readings | computerSystemFreeMemory, ...FreeSwap |
| Solaris (Sun's own agent) | ticks of sunHostPerf, between two readings | - |
| Cisco | CISCO-PROCESS-MIB, avgBusy1 | CISCO-MEMORY-POOL-MIB |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.probes import mibs
from btimd.probes.hostmibs import (
    AIX,
    ENTERPRISES,
    HOST,
    HP_UX,
    SUN_PERFORMANCE,
    UCD,
    Question,
    Reading,
    family_of,
    octets,
    unsigned,
)
from btimd.probes.limits import Finding, Limits, cannot_say, found, verdict
from btimd.probes.mibvalues import text, whole
from btimd.probes.snmpsession import Oid, Readings, Scalars, Step, Table, Value
from btimd.probes.wire.dialogue import Outcome

HR_PROCESSOR_LOAD: Final[Oid] = (*HOST, 3, 3, 1, 2)
SS_CPU_IDLE: Final[Oid] = (*UCD, 11, 11, 0)
SS_CPU_COUNT: Final[Oid] = (*UCD, 11, 67, 0)
LA_LOAD_1: Final[Oid] = (*UCD, 10, 1, 5, 1)
AIX_CPU: Final[Oid] = (*AIX, 1, 2, 1, 0)
_CISCO_PROCESS: Final[Oid] = (*ENTERPRISES, 9, 9, 109, 1, 1, 1, 1)
CISCO_CPU_1_MINUTE: Final[Oid] = (*_CISCO_PROCESS, 7)
CISCO_CPU_1_MINUTE_OLD: Final[Oid] = (*_CISCO_PROCESS, 4)
CISCO_BUSY_1: Final[Oid] = (*ENTERPRISES, 9, 2, 1, 57, 0)
HP_TICKS: Final[tuple[Oid, ...]] = tuple((*HP_UX, 1, number, 0) for number in (13, 14, 15, 16))
HP_IDLE: Final = HP_TICKS[2]
UCD_TICKS: Final[tuple[Oid, ...]] = tuple((*UCD, 11, number, 0) for number in (50, 51, 52, 53, 56, 61, 64))
UCD_IDLE: Final = UCD_TICKS[3]
SUN_TICKS: Final[tuple[Oid, ...]] = tuple((*SUN_PERFORMANCE, number, 0) for number in (1, 2, 3, 4))
SUN_IDLE: Final = SUN_TICKS[3]

_HR_STORAGE: Final[Oid] = (*HOST, 2, 3, 1)
_HR_STORAGE_RAM: Final[Oid] = (*HOST, 2, 1, 2)
_HR_STORAGE_VIRTUAL: Final[Oid] = (*HOST, 2, 1, 3)
MEM_TOTAL_SWAP: Final[Oid] = (*UCD, 4, 3, 0)
MEM_FREE_SWAP: Final[Oid] = (*UCD, 4, 4, 0)
MEM_TOTAL: Final[Oid] = (*UCD, 4, 5, 0)
MEM_FREE: Final[Oid] = (*UCD, 4, 6, 0)
MEM_BUFFER: Final[Oid] = (*UCD, 4, 14, 0)
MEM_CACHED: Final[Oid] = (*UCD, 4, 15, 0)
MEM_AVAILABLE: Final[Oid] = (*UCD, 4, 27, 0)
HP_FREE_MEMORY: Final[Oid] = (*HP_UX, 1, 7, 0)
HP_MEMORY: Final[Oid] = (*HP_UX, 1, 8, 0)
HP_SWAP: Final[Oid] = (*HP_UX, 1, 11, 0)
HP_FREE_SWAP: Final[Oid] = (*HP_UX, 1, 12, 0)
_AIX_PAGING: Final[Oid] = (*AIX, 2, 4, 2, 1)
_CISCO_POOL: Final[Oid] = (*ENTERPRISES, 9, 9, 48, 1, 1, 1)
_TICKS: Final = ((HP_TICKS, HP_IDLE), (SUN_TICKS, SUN_IDLE), (UCD_TICKS, UCD_IDLE))
_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_COUNTER: Final = 2**32
_MOST_ROWS: Final = 4096


@dataclass(frozen=True, slots=True)
class Cpu(Question):
    """How busy the processors are, in percent of all of them; load: of processes that want one, per processor."""

    limits: Limits
    load: Limits

    @override
    def steps(self) -> tuple[Step, ...]:
        told = (mibs.SYS_OBJECT_ID, SS_CPU_IDLE, SS_CPU_COUNT, LA_LOAD_1, AIX_CPU, CISCO_BUSY_1)
        return (Scalars("cpu", told), Table("hrProcessorTable", (*HOST, 3, 3, 1), (2,), _MOST_ROWS))

    @override
    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        family = family_of(readings)
        if family == "cisco":
            return (Table("cpmCPUTotalTable", _CISCO_PROCESS, (4, 7), _MOST_ROWS),)
        if readings.column(HR_PROCESSOR_LOAD) or readings.scalars.get(SS_CPU_IDLE) is not None:
            return ()
        ticks = {"hp-ux": HP_TICKS, "solaris": SUN_TICKS, "net-snmp": UCD_TICKS}.get(family)
        return () if ticks is None else (Scalars("processor ticks", ticks),)

    @override
    def wants_two(self, reading: Reading) -> bool:
        # An agent that has just begun tells zeros, not ticks.
        return any(reading.number(idle) for _, idle in _TICKS)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        loads = [number for value in now.column(HR_PROCESSOR_LOAD).values() if (number := whole(value)) is not None]
        busy = _busy(now, before, loads)
        values: dict[str, float] = {}
        findings: list[Finding] = []
        if busy is not None:
            values["busy_ratio"] = busy / 100
            findings.append(found(self.limits, busy, f"processors are {busy:.0f} % busy"))
        processors = len(loads) or now.number(SS_CPU_COUNT) or 0
        load = now.number(LA_LOAD_1)
        if load is not None and processors:
            per_processor = load / 100 / processors
            values |= {"load_1m": load / 100, "processors": float(processors)}
            findings.append(found(self.load, per_processor, f"load is {per_processor:.2f} per processor"))
        if not findings and self.wants_two(now):
            return cannot_say(f"{about}: its processor ticks were read once only; two readings are needed")
        if not findings:
            return cannot_say(f"{about} does not tell how busy its processors are; widen the agent's view")
        return verdict(findings, values, about=about)


def _busy(now: Reading, before: Reading | None, loads: list[int]) -> float | None:
    """Return percent, from the best source there is."""
    cisco = [
        number
        for oid in (CISCO_CPU_1_MINUTE, CISCO_CPU_1_MINUTE_OLD)
        for value in now.column(oid).values()
        if (number := whole(value)) is not None
    ]
    idle = now.number(SS_CPU_IDLE)
    aix, cisco_old = now.number(AIX_CPU), now.number(CISCO_BUSY_1)
    if aix is not None:  # its hrProcessorLoad has been wrong for releases
        return float(aix)
    if cisco:
        return float(max(cisco))
    if loads:
        return sum(loads) / len(loads)
    if idle is not None and idle <= 100:  # noqa: PLR2004  percent
        return 100.0 - idle
    if cisco_old is not None:
        return float(cisco_old)
    return None if before is None else _busy_ticks(now, before)


def _busy_ticks(now: Reading, before: Reading) -> float | None:
    for ticks, idle in _TICKS:
        grown: dict[Oid, int] = {}
        for oid in ticks:
            new, old = now.number(oid), before.number(oid)
            if new is not None and old is not None:
                grown[oid] = (new - old) % _COUNTER
        total = sum(grown.values())
        if idle in grown and total and before.number(idle):
            return 100.0 * (total - grown[idle]) / total
    return None


@dataclass(frozen=True, slots=True)
class Pool:
    """A kind of memory: octets in all, and used."""

    name: str
    size: float
    used: float
    is_swap: bool = False


@dataclass(frozen=True, slots=True)
class Memory(Question):
    """How much of memory, and of swap, is used, in percent."""

    limits: Limits
    swap: Limits

    @override
    def steps(self) -> tuple[Step, ...]:
        return (
            Scalars(
                "memory",
                (
                    *(mibs.SYS_OBJECT_ID, MEM_TOTAL_SWAP, MEM_FREE_SWAP, MEM_TOTAL, MEM_FREE, MEM_BUFFER, MEM_CACHED),
                    MEM_AVAILABLE,
                ),
            ),
        )

    @override
    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        family = family_of(readings)
        if readings.scalars.get(MEM_TOTAL) is not None:
            return ()
        if family == "cisco":
            return (Table("ciscoMemoryPoolTable", _CISCO_POOL, (2, 5, 6), _MOST_ROWS),)
        steps: list[Step] = [Table("hrStorageTable", _HR_STORAGE, (2, 3, 4, 5, 6), _MOST_ROWS)]
        if family == "hp-ux":
            steps = [Scalars("computerSystem", (HP_FREE_MEMORY, HP_MEMORY, HP_SWAP, HP_FREE_SWAP))]
        if family == "aix":
            steps.append(Table("aixPageTable", _AIX_PAGING, (1, 4, 5), _MOST_ROWS))
        return tuple(steps)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        pools = [pool for pool in _pools(now) if pool.size > 0]
        if not pools:
            return cannot_say(f"{about} does not tell of its memory; widen the agent's view")
        values: dict[str, float] = {}
        findings = []
        for pool in pools:
            percent = 100.0 * pool.used / pool.size
            prefix = "swap" if pool.is_swap else "memory"
            if f"{prefix}_used_ratio" not in values:
                values |= {f"{prefix}_used_ratio": percent / 100, f"{prefix}_bytes": pool.size}
            told = f"{pool.name} is {percent:.0f} % used of {octets(pool.size)}"
            findings.append(found(self.swap if pool.is_swap else self.limits, percent, told))
        return verdict(findings, values, about=about)


def _pools(now: Reading) -> list[Pool]:
    total = now.number(MEM_TOTAL)
    if total is not None:
        return _ucd_pools(now, total)
    size, free = now.number(HP_MEMORY), now.number(HP_FREE_MEMORY)
    if size is not None and free is not None:
        pools = [Pool("memory", size * _KIB, (size - free) * _KIB)]
        swap, free_swap = now.number(HP_SWAP), now.number(HP_FREE_SWAP)
        if swap is not None and free_swap is not None:
            pools.append(Pool("swap", swap * _KIB, (swap - free_swap) * _KIB, is_swap=True))
        return pools
    return [*_cisco_pools(now), *_storage_pools(now), *_aix_paging(now)]


def _ucd_pools(now: Reading, total: int) -> list[Pool]:
    available = now.number(MEM_AVAILABLE)
    if available is None:
        available = sum(now.number(oid) or 0 for oid in (MEM_FREE, MEM_BUFFER, MEM_CACHED))
    pools = [Pool("memory", total * _KIB, max(0, total - available) * _KIB)]
    swap, free = now.number(MEM_TOTAL_SWAP), now.number(MEM_FREE_SWAP)
    if swap and free is not None:
        pools.append(Pool("swap", swap * _KIB, max(0, swap - free) * _KIB, is_swap=True))
    return pools


def _cisco_pools(now: Reading) -> list[Pool]:
    names = now.column((*_CISCO_POOL, 2))
    found_pools = []
    for row, used in now.column((*_CISCO_POOL, 5)).items():
        used_octets, free = whole(used), whole(now.column((*_CISCO_POOL, 6)).get(row))
        if used_octets is not None and free is not None:
            name = text(names.get(row)) or "memory"
            found_pools.append(Pool(f"memory pool {name}", used_octets + free, used_octets))
    return found_pools


def _storage_pools(now: Reading) -> list[Pool]:
    kinds: Mapping[Oid, bool] = {_HR_STORAGE_RAM: False, _HR_STORAGE_VIRTUAL: True}
    found_pools = []
    for row, kind in now.column((*_HR_STORAGE, 2)).items():
        if not isinstance(kind, tuple) or kind not in kinds:
            continue
        unit, size, used = (_cell(now, column, row) for column in (4, 5, 6))
        if unit is not None and size is not None and used is not None:
            name = text(now.column((*_HR_STORAGE, 3)).get(row)) or "memory"
            found_pools.append(Pool(name, float(size * unit), float(used * unit), is_swap=kinds[kind]))
    return sorted(found_pools, key=lambda pool: pool.is_swap)


def _cell(now: Reading, column: int, row: Oid) -> int | None:
    value: Value = now.column((*_HR_STORAGE, column)).get(row)
    return unsigned(value)


def _aix_paging(now: Reading) -> list[Pool]:
    found_pools = []
    for row, megabytes in now.column((*_AIX_PAGING, 4)).items():
        size, percent = whole(megabytes), whole(now.column((*_AIX_PAGING, 5)).get(row))
        if size is not None and percent is not None:
            name = text(now.column((*_AIX_PAGING, 1)).get(row)) or "paging space"
            found_pools.append(Pool(f"paging space {name}", size * _MIB, size * _MIB * percent / 100, is_swap=True))
    return found_pools

"""What is on a host: filesystems, files, processes.

HOST-RESOURCES-MIB (RFC 2790) tells of filesystems and processes on almost every system; UCD-SNMP-MIB of those that the
agent's configuration names (disk, file, proc), with inodes; HP-UX's fileSystemTable where the agent has none of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass, Health
from btimd.probes.hostmibs import AIX, HOST, HP_UX, UCD, Question, Reading, octets, unsigned
from btimd.probes.limits import Finding, Limits, cannot_say, found, verdict
from btimd.probes.mibvalues import text, whole
from btimd.probes.snmpsession import Oid, Readings, Step, Table
from btimd.probes.wire.dialogue import Outcome, printable

_STORAGE: Final[Oid] = (*HOST, 2, 3, 1)
_STORAGE_FIXED: Final[Oid] = (*HOST, 2, 1, 4)
_HR_FS: Final[Oid] = (*HOST, 3, 8, 1)
_DSK: Final[Oid] = (*UCD, 9, 1)
_AIX_FS: Final[Oid] = (*AIX, 6, 2, 1)
_HP_FS: Final[Oid] = (*HP_UX, 2, 2, 1)
_FILE: Final[Oid] = (*UCD, 15, 1)
_PROC: Final[Oid] = (*UCD, 2, 1)
_RUN: Final[Oid] = (*HOST, 4, 2, 1)
_RUN_PERFORMANCE: Final[Oid] = (*HOST, 5, 1, 1)
_READ_ONLY: Final = 2
_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_MOST_DISKS: Final = 2_000
_MOST_PROCESSES: Final = 20_000
_LINUX_NAME: Final = 15
_GONE_STATES: Final = frozenset({4})  # invalid
_LABEL: Final = re.compile(r"^([A-Za-z]:\\).*$")
_CENTISECONDS: Final = 100


@dataclass(frozen=True, slots=True)
class Disk:
    """A filesystem. size, free: octets; inodes_percent: used of them; read_only: None = not told."""

    path: str
    size: float
    used: float
    inodes_percent: float | None = None
    read_only: bool | None = None

    @property
    def percent(self) -> float:
        """How full it is."""
        return 100.0 * self.used / self.size if self.size else 0.0


@dataclass(frozen=True, slots=True)
class Filesystem(Question):
    """How full filesystems are. path: one of them, "" = all on fixed disks but those that `exclude` matches.

    limits: percent used; free: octets left; inodes: percent used; read_only_is_bad: told of the one path.
    """

    path: str
    limits: Limits
    free: Limits
    inodes: Limits
    exclude: str = ""
    read_only_is_bad: bool = True

    @override
    def steps(self) -> tuple[Step, ...]:
        return (
            Table("hrStorageTable", _STORAGE, (2, 3, 4, 5, 6), _MOST_DISKS),
            Table("hrFSTable", _HR_FS, (2, 5, 7), _MOST_DISKS),
            Table("dskTable", _DSK, (2, 6, 8, 10), _MOST_DISKS),
        )

    @override
    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        if readings.column((*_STORAGE, 2)) or readings.column((*_DSK, 2)):
            return ()
        return (
            Table("aixFsTable", _AIX_FS, (3, 5, 6, 7, 8), _MOST_DISKS),
            Table("fileSystemTable", _HP_FS, (4, 6, 7, 8, 9, 10), _MOST_DISKS),
        )

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        disks = disks_of(now)
        if not disks:
            return cannot_say(f"{about} does not tell of its filesystems; widen the agent's view")
        wanted = [disk for disk in disks.values() if self._wants(disk)]
        if not wanted:
            named = ", ".join(sorted(disks)[:8])
            text_ = (
                f"{about} has no filesystem {self.path}; it tells of {named}" if self.path else f"{about}: all excluded"
            )
            return Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, printable(text_)) if self.path else cannot_say(text_)
        fullest = max(wanted, key=lambda disk: disk.percent)
        values = {"used_ratio": fullest.percent / 100, "free_bytes": fullest.size - fullest.used}
        if fullest.inodes_percent is not None:
            values["inodes_used_ratio"] = fullest.inodes_percent / 100
        return verdict([one for disk in wanted for one in self._findings(disk)], values, about=about)

    def _wants(self, disk: Disk) -> bool:
        if self.path:
            return disk.path == self.path or disk.path.lower() == self.path.lower().rstrip("\\") + "\\"
        return not self.exclude or re.search(self.exclude, disk.path) is None

    def _findings(self, disk: Disk) -> Iterator[Finding]:
        left = disk.size - disk.used
        told = f"{disk.path} is {disk.percent:.0f} % full, {octets(left)} free"
        yield max(found(self.limits, disk.percent, told), found(self.free, left, told), key=lambda one: one.rank)
        if disk.inodes_percent is not None:
            finding = found(
                self.inodes, disk.inodes_percent, f"{disk.path} has {disk.inodes_percent:.0f} % inodes used"
            )
            if finding.rank:
                yield finding
        if disk.read_only and self.path and self.read_only_is_bad:
            yield Finding(2, f"{disk.path} is mounted read-only")


def disks_of(now: Reading) -> dict[str, Disk]:
    """Return the filesystems that a host tells of, by where they are mounted."""
    disks = {disk.path: disk for disk in (*_vendor_disks(now), *_storage_disks(now)) if disk.path and disk.size > 0}
    for row, path in now.column((*_DSK, 2)).items():
        size, used, inodes = (whole(now.column((*_DSK, column)).get(row)) for column in (6, 8, 10))
        name = text(path)
        known = disks.get(name)
        if known is None and size and used is not None:
            known = Disk(name, float(size * _KIB), float(used * _KIB))
        if known is not None:
            disks[name] = Disk(name, known.size, known.used, None if inodes is None else float(inodes), known.read_only)
    return disks


def _storage_disks(now: Reading) -> Iterator[Disk]:
    read_only = {
        index: whole(now.column((*_HR_FS, 5)).get(row)) == _READ_ONLY
        for row, told in now.column((*_HR_FS, 7)).items()
        if (index := whole(told)) is not None
    }
    for row, kind in now.column((*_STORAGE, 2)).items():
        unit, size, used = (unsigned(now.column((*_STORAGE, column)).get(row)) for column in (4, 5, 6))
        if kind != _STORAGE_FIXED or unit is None or size is None or used is None:
            continue
        path = _LABEL.sub(r"\1", text(now.column((*_STORAGE, 3)).get(row)))
        yield Disk(path, float(size * unit), float(used * unit), None, read_only.get(row[0]) if len(row) == 1 else None)


def _vendor_disks(now: Reading) -> Iterator[Disk]:
    for row, path in now.column((*_AIX_FS, 3)).items():
        size, free, inodes, used_inodes = (whole(now.column((*_AIX_FS, column)).get(row)) for column in (5, 6, 7, 8))
        if size is not None and free is not None:
            percent = None if not inodes or used_inodes is None else 100.0 * used_inodes / inodes
            yield Disk(text(path), float(size * _MIB), float((size - free) * _MIB), percent)
    for row, path in now.column((*_HP_FS, 10)).items():
        blocks, left, unit, files, free_files = (
            whole(now.column((*_HP_FS, column)).get(row)) for column in (4, 6, 7, 8, 9)
        )
        if blocks is not None and left is not None and unit is not None:
            percent = None if not files or free_files is None else 100.0 * (files - free_files) / files
            yield Disk(text(path), float(blocks * unit), float((blocks - left) * unit), percent)


@dataclass(frozen=True, slots=True)
class File(Question):
    """How long a file is, in octets, of those that the agent's `file` directives name."""

    path: str
    limits: Limits

    @override
    def steps(self) -> tuple[Step, ...]:
        return (Table("fileTable", _FILE, (2, 3, 100), _MOST_DISKS),)

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        for row, name in now.column((*_FILE, 2)).items():
            if text(name) != self.path:
                continue
            size = now.column((*_FILE, 3)).get(row)
            if not isinstance(size, int) or size < 0:
                return Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, printable(f"{about} has no file {self.path}"))
            length = float(size * _KIB)
            findings = [found(self.limits, length, f"{self.path} has {octets(length)}")]
            if whole(now.column((*_FILE, 100)).get(row)) == 1:
                findings.append(Finding(2, f"{self.path} is beyond the limit that the agent has for it"))
            return verdict(findings, {"size_bytes": length}, about=about)
        return cannot_say(f"{about} does not tell of {self.path}; add 'file {self.path}' to its snmpd.conf")


@dataclass(frozen=True, slots=True)
class Run:
    """A running process. cpu: seconds of processor since it began; memory: octets."""

    cpu: float | None
    memory: float | None


@dataclass(frozen=True, slots=True)
class Process(Question):
    """How many processes of a name run, and what they take together.

    arguments: a regular expression that must be found in their arguments. count: how many there may be; memory: octets;
    cpu: percent of one processor, between two readings. from_host: look at all processes even where the agent counts
    those of this name itself.
    """

    name: str
    count: Limits
    memory: Limits
    cpu: Limits
    arguments: str = ""
    from_host: bool = False

    @override
    def steps(self) -> tuple[Step, ...]:
        return () if self._needs_all else (Table("prTable", _PROC, (2, 5), _MOST_DISKS),)

    @property
    def _needs_all(self) -> bool:
        return bool(self.arguments) or self.from_host or self.memory != Limits() or self.cpu != Limits()

    @override
    def follow_up(self, readings: Readings) -> tuple[Step, ...]:
        if not self._needs_all and any(text(name) == self.name for name in readings.column((*_PROC, 2)).values()):
            return ()
        columns = (2, 4, 5, 7) if self.arguments else (2, 4, 7)
        steps: list[Step] = [Table("hrSWRunTable", _RUN, columns, _MOST_PROCESSES)]
        if self.memory != Limits() or self.cpu != Limits():
            steps.append(Table("hrSWRunPerfTable", _RUN_PERFORMANCE, (1, 2), _MOST_PROCESSES))
        return tuple(steps)

    @override
    def wants_two(self, reading: Reading) -> bool:
        return self.cpu != Limits() and bool(self._runs(reading))

    @override
    def judge(self, now: Reading, before: Reading | None, about: str) -> Outcome:
        what = f"{self.name} {self.arguments}".strip()
        if not now.column((*_RUN, 2)):
            counted = {text(name): row for row, name in now.column((*_PROC, 2)).items()}
            number = whole(now.column((*_PROC, 5)).get(counted.get(self.name, ())))
            if number is None:
                return cannot_say(f"{about} does not tell of its processes; widen the agent's view")
            return self._counted(number, what, {}, [], about)
        if {"hrSWRunTable"} & now.readings.unfinished:
            return cannot_say(f"{about}: its processes were not read whole; give the check more time")
        runs = self._runs(now)
        values: dict[str, float] = {}
        findings: list[Finding] = []
        memory = [run.memory for run in runs.values() if run.memory is not None]
        if memory:
            values["memory_bytes"] = sum(memory)
            findings.append(found(self.memory, sum(memory), f"{what} takes {octets(sum(memory))}"))
        if before is not None and now.at > before.at:
            earlier = self._runs(before)
            spent = sum(
                max(0.0, run.cpu - (old.cpu or 0.0))
                for row, run in runs.items()
                if run.cpu is not None and (old := earlier.get(row)) is not None
            )
            percent = 100.0 * spent / (now.at - before.at)
            values["cpu_ratio"] = percent / 100
            findings.append(found(self.cpu, percent, f"{what} takes {percent:.0f} % of a processor"))
        return self._counted(len(runs), what, values, findings, about)

    def _counted(
        self, number: int, what: str, values: dict[str, float], findings: list[Finding], about: str
    ) -> Outcome:
        values["processes"] = float(number)
        plural = "process runs" if number == 1 else "processes run"
        return verdict([found(self.count, number, f"{number} {plural} as {what}"), *findings], values, about=about)

    def _runs(self, reading: Reading) -> dict[Oid, Run]:
        found_runs: dict[Oid, Run] = {}
        for row, told in reading.column((*_RUN, 2)).items():
            if whole(reading.column((*_RUN, 7)).get(row)) in _GONE_STATES:
                continue
            if not self._is_named(text(told), text(reading.column((*_RUN, 4)).get(row))):
                continue
            if self.arguments and not re.search(self.arguments, text(reading.column((*_RUN, 5)).get(row))):
                continue
            cpu = whole(reading.column((*_RUN_PERFORMANCE, 1)).get(row))
            memory = whole(reading.column((*_RUN_PERFORMANCE, 2)).get(row))
            found_runs[row] = Run(
                None if cpu is None else cpu / _CENTISECONDS, None if memory is None else float(memory * _KIB)
            )
        return found_runs

    def _is_named(self, name: str, path: str) -> bool:
        """Tell whether a process has the wanted name; Linux cuts names at 15 characters, Windows minds no case."""
        wanted = self.name.lower()
        base = re.split(r"[/\\]", path)[-1]
        return wanted in {name.lower(), base.lower(), path.lower()} or name == self.name[:_LINUX_NAME] != self.name

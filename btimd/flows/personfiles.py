"""Files that tell of persons, read while their owners write to them: grown, renamed, rewritten, or gone for a while.

Lease files hold the whole truth, so a file in another's place is read from its beginning, and what it says replaces
what was known once its end is reached. Detail files are a log: what came before stays true when a new one begins.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from typing_extensions import override

from btimd.flows.leases import MAX_LINE_OCTETS, IscLeases, KeaLeases, Lease, LeaseParser
from btimd.flows.personlists import Listed, read_macs, read_persons
from btimd.flows.persons import Accounted, Binding, Bound, Event, Replaced, Unbound
from btimd.flows.radiusdesk import named
from btimd.flows.radiusdetail import DetailRecords
from btimd.model.address import Prefix
from btimd.model.persons import PersonSourceKind
from btimd.model.units import UnixSeconds

MOST_OCTETS_PER_READ: Final = 8 << 20
MOST_LIST_OCTETS: Final = 64 << 20
_TAIL_OCTETS: Final = 256

LeaseKind: TypeAlias = Literal["isc", "kea"]
PersonFrom: TypeAlias = Literal["mac-list", "hostname", "mac"]
Naming: TypeAlias = Callable[[str], str]
"""Turns a name into what is kept of it: itself, or a pseudonym."""


class UnreadableError(Exception):
    """A file cannot be read now; the text says which, and why."""


class GrowingFile:
    """A file that is open and read line by line as it grows. It stays open, so its inode is not given to another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rest = b""
        self._tail = b""
        self._offset = 0
        self.too_long = 0
        """Lines that were left out because they were longer than any that can be meant."""
        self._in_long_line = False
        self._descriptor = open_regular(path)
        found = os.fstat(self._descriptor)
        self.identity = (found.st_dev, found.st_ino)
        self.changed_at: UnixSeconds = found.st_mtime

    def close(self) -> None:
        """Close it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def was_rewritten(self) -> bool:
        """Tell whether what was read is there no longer: the file is shorter now, or says something else there."""
        found = os.fstat(self._descriptor)
        if found.st_size < self._offset:
            return True
        begin = self._offset - len(self._tail)
        return bool(self._tail) and os.pread(self._descriptor, len(self._tail), begin) != self._tail

    def lines(self, most: int = MOST_OCTETS_PER_READ) -> tuple[Sequence[bytes], int]:
        """Return the whole lines that came since, of at most so many octets, and how many octets were read."""
        octets = os.pread(self._descriptor, most, self._offset)
        if not octets:
            return (), 0
        self._offset += len(octets)
        self._tail = (self._tail + octets)[-_TAIL_OCTETS:]
        self.changed_at = os.fstat(self._descriptor).st_mtime
        *whole, self._rest = (self._rest + octets).split(b"\n")
        lines: list[bytes] = []
        for line in whole:
            if self._in_long_line or len(line) > MAX_LINE_OCTETS:
                self.too_long += 1
                self._in_long_line = False
            else:
                lines.append(line)
        if len(self._rest) > MAX_LINE_OCTETS:
            self._rest, self._in_long_line = b"", True
        return lines, len(octets)


def open_regular(path: Path) -> int:
    """Return a descriptor; raises UnreadableError, also for what is no file: a pipe would block its reader."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableError(f"cannot read {path}: {error.strerror}; btimd's user must be able to read it") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError(f"{path} is no ordinary file")
    return descriptor


class Source(Protocol):
    """Something that is asked every second or so. The attributes are those of model.persons.PersonSource."""

    name: str
    kind: PersonSourceKind
    place: str
    records: int
    refused: int
    changed_at: UnixSeconds | None
    problem: str
    last_error: str

    def poll(self) -> Sequence[Event]:
        """Return what it tells that is new; never raises."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class _FileSource:
    """What all sources that are files have."""

    def __init__(self, name: str, kind: PersonSourceKind, path: Path) -> None:
        self.name = name
        self.kind = kind
        self.place = str(path)
        self.records = 0
        self.refused = 0
        self.changed_at: UnixSeconds | None = None
        self.problem = ""
        self.last_error = ""
        self.pending = False
        """There is more to read than one poll takes."""
        self._path = path

    def poll(self) -> Sequence[Event]:
        """Return what is new; a file that cannot be read leaves what it told before in force."""
        try:
            events = self._poll()
        except UnreadableError as error:
            self.problem = str(error)
            return ()
        except OSError as error:
            self.problem = f"cannot read {self._path}: {error.strerror}"
            return ()
        self.problem = ""
        return events

    def _poll(self) -> Sequence[Event]:
        raise NotImplementedError

    def close(self) -> None:
        """Give back what is open."""


class _ListSource(_FileSource):
    """What lists have in common that are read whole when they change."""

    _stamp: object = None

    def _listed(self, parse: Callable[[bytes], Listed]) -> Listed | None:
        """Return what the file says now, None where that has not changed."""
        read = read_changed(self._path, self._stamp)
        if read is None:
            return None
        octets, self._stamp, self.changed_at = read
        listed = parse(octets)
        self.records += listed.records
        self.refused += listed.refused
        self.last_error = listed.last_error
        return listed


class Macs(_ListSource):
    """The list of MACs. version: grows when it says something else."""

    def __init__(self, name: str, path: Path, naming: Naming) -> None:
        super().__init__(name, PersonSourceKind.MACS, path)
        self.persons: Mapping[str, str] = {}
        self.version = 0
        self._naming = naming

    @override
    def _poll(self) -> Sequence[Event]:
        listed = self._listed(read_macs)
        if listed is None:
            return ()
        self.persons = {mac: self._naming(person) for mac, person in listed.macs.items()}
        self.version += 1
        return ()


class AddressList(_ListSource):
    """The list of addresses and prefixes; of lines for one prefix the last that has begun and is not over counts."""

    def __init__(self, name: str, path: Path, naming: Naming) -> None:
        super().__init__(name, PersonSourceKind.LIST, path)
        self._naming = naming

    @override
    def _poll(self) -> Sequence[Event]:
        listed = self._listed(read_persons)
        if listed is None:
            return ()
        return (
            Replaced(
                self.name,
                tuple(
                    Binding(
                        self.name, self.kind, one.prefix, self._naming(one.person), since=one.since, until=one.until
                    )
                    for one in listed.persons
                ),
            ),
        )


def read_changed(path: Path, stamp: object) -> tuple[bytes, object, UnixSeconds] | None:
    """Return the content of a file whose stamp is another now, with that and its time; None where it is the same.

    Raises UnreadableError, and OSError.
    """
    descriptor = open_regular(path)
    try:
        found = os.fstat(descriptor)
        now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if now == stamp:
            return None
        if found.st_size > MOST_LIST_OCTETS:
            raise UnreadableError(f"{path} has {found.st_size} octets; {MOST_LIST_OCTETS} at most are read")
        octets = bytearray()
        while len(octets) <= MOST_LIST_OCTETS and (part := os.read(descriptor, 1 << 20)):
            octets += part
        return bytes(octets), now, found.st_mtime
    finally:
        os.close(descriptor)


class Leases(_FileSource):
    """The lease files of one DHCP server."""

    def __init__(
        self,
        name: str,
        kind: LeaseKind,
        path: Path,
        *,
        person_from: Sequence[PersonFrom],
        macs: Macs | None,
        naming: Naming,
        most_octets: int = MOST_OCTETS_PER_READ,
        most_bindings: int = 1 << 20,
    ) -> None:
        super().__init__(name, PersonSourceKind.DHCP, path)
        self._most_bindings = most_bindings
        self._parser_of: type[IscLeases | KeaLeases] = IscLeases if kind == "isc" else KeaLeases
        self._is_kea = kind == "kea"
        self._person_from = tuple(person_from)
        self._macs = macs
        self._naming = naming
        self._most_octets = most_octets
        self._macs_version = -1
        self._files: list[tuple[GrowingFile, LeaseParser]] = []
        self._counted: list[tuple[int, int]] = []
        self._staged: dict[Prefix, Binding] | None = None

    @override
    def _poll(self) -> Sequence[Event]:
        paths = self._paths()
        macs_version = self._macs.version if self._macs else 0
        if self._is_other(paths) or macs_version != self._macs_version:
            self._begin(paths)
            self._macs_version = macs_version
        events: list[Event] = []
        room = self._most_octets
        for file, parser in self._files:
            while room > 0:
                lines, octets = file.lines(room)
                if not octets:
                    break
                room -= octets
                for line in lines:
                    for lease in parser.feed(line):
                        self._take(lease, events)
        self.pending = room <= 0
        self._count()
        if self._staged is not None and not self.pending:
            if self._is_other(self._paths()):
                self.pending = True  # the server tidied up meanwhile: begin anew
                self._files_closed()
                return ()
            events.append(Replaced(self.name, tuple(self._staged.values())))
            self._staged = None
        return events

    @override
    def close(self) -> None:
        """Close the files; the next poll reads them from their beginnings."""
        self._files_closed()

    def _paths(self) -> Sequence[Path]:
        """Return the files that make up the whole, oldest first.

        Kea's lease file clean-up moves the file to .1, merges it with .2 into .completed, and makes that the new .2.
        """
        if not self._is_kea:
            return (self._path,)
        base = str(self._path)
        completed = Path(base + ".completed")
        older = (completed,) if completed.exists() else (Path(base + ".2"), Path(base + ".1"))
        return (*(path for path in older if path.exists()), self._path)

    def _is_other(self, paths: Sequence[Path]) -> bool:
        """Tell whether other files are there than those that are open, or the same with another content."""
        if [file.path for file, _ in self._files] != list(paths):
            return True
        for file, _ in self._files:
            found = file.path.stat()
            if (found.st_dev, found.st_ino) != file.identity or file.was_rewritten():
                return True
        return False

    def _begin(self, paths: Sequence[Path]) -> None:
        self._files_closed()
        for path in paths:
            self._files.append((GrowingFile(path), self._parser_of()))
            self._counted.append((0, 0))
        self._staged = {}

    def _files_closed(self) -> None:
        for file, _ in self._files:
            file.close()
        self._files, self._counted = [], []

    def _take(self, lease: Lease, events: list[Event]) -> None:
        person = self._person(lease) if lease.active else ""
        binding = Binding(self.name, self.kind, lease.prefix, person, since=lease.since, until=lease.until)
        if self._staged is not None:
            self._staged.pop(lease.prefix, None)
            if person and len(self._staged) >= self._most_bindings:
                self.refused += 1
                self.last_error = (
                    f"{self._path.name}: more than {self._most_bindings} leases in use; raise max_bindings"
                )
            elif person:
                self._staged[lease.prefix] = binding
        else:
            events.append(Bound(binding) if person else Unbound(self.name, lease.prefix))

    def _person(self, lease: Lease) -> str:
        for origin in self._person_from:
            if origin == "mac-list":
                found = self._macs.persons.get(lease.mac, "") if self._macs else ""  # named already
            else:
                told = lease.hostname if origin == "hostname" else lease.mac
                found = self._naming(told) if told else ""
            if found:
                return found
        return ""

    def _count(self) -> None:
        for at, (file, parser) in enumerate(self._files):
            records, refused = parser.records + file.too_long, parser.refused + file.too_long
            self.records += records - self._counted[at][0]
            self.refused += refused - self._counted[at][1]
            self._counted[at] = records, refused
            self.changed_at = max(self.changed_at or 0.0, file.changed_at)
            if parser.last_error:
                self.last_error = f"{file.path.name}, {parser.last_error}"
            elif file.too_long:
                self.last_error = f"{file.path.name}: a line of more than {MAX_LINE_OCTETS} octets"


class Detail(_FileSource):
    """A FreeRADIUS detail file. When another takes its place, the old one is read to its end, then the new one."""

    def __init__(self, name: str, path: Path, *, naming: Naming, most_octets: int = MOST_OCTETS_PER_READ) -> None:
        super().__init__(name, PersonSourceKind.RADIUS, path)
        self._naming = naming
        self._most_octets = most_octets
        self._file: GrowingFile | None = None
        self._parser = DetailRecords()
        self._counted = (0, 0)

    @override
    def _poll(self) -> Sequence[Event]:
        events: list[Event] = []
        if self._file is None:
            self._file, self._parser, self._counted = GrowingFile(self._path), DetailRecords(), (0, 0)
        if self._file.was_rewritten():
            self.close()
            return self._poll()
        self.pending = self._read(self._file, events)
        if not self.pending and self._is_other(self._file):
            # its writer may have gone on until just now: only then is the old one at its end
            self._read(self._file, events)
            self.close()
            self.pending = True
        return events

    def _read(self, file: GrowingFile, events: list[Event]) -> bool:
        """Read up to the end, or as much as may be read at once; tell whether there is more."""
        room = self._most_octets
        while room > 0:
            lines, octets = file.lines(room)
            if not octets:
                break
            room -= octets
            events.extend(self._events(lines))
        self._count(file)
        return room <= 0

    def _events(self, lines: Sequence[bytes]) -> Iterator[Event]:
        for line in lines:
            for news in self._parser.feed(line):
                yield Accounted(self.name, named(news, self._naming))

    def _is_other(self, file: GrowingFile) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False  # renamed, and no new one yet
        return (found.st_dev, found.st_ino) != file.identity

    def _count(self, file: GrowingFile) -> None:
        records, refused = self._parser.records + file.too_long, self._parser.refused + file.too_long
        self.records += records - self._counted[0]
        self.refused += refused - self._counted[1]
        self._counted = records, refused
        self.changed_at = max(self.changed_at or 0.0, file.changed_at)
        self.last_error = self._parser.last_error or self.last_error

    @override
    def close(self) -> None:
        """Close the file; the next poll begins with what is there then."""
        if self._file is not None:
            self._file.close()
            self._file = None

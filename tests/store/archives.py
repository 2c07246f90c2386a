"""A folder of an archive with records in it, for tests of what reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btimd.model.taps import Names
from btimd.store.archivecolumns import COLUMN_NAMES, Codebook, columns_of
from btimd.store.archivefiles import ArchiveFolder
from btimd.store.archivewriter import ArchiveWriter, by_hour
from tests.store.records import EXPORTERS, NAMES, batch


class Filled:
    """Writes records as parts; each object is a run of its own, with codes of its own."""

    def __init__(self, path: Path, names: Names = NAMES) -> None:
        self.folder = ArchiveFolder(path)
        self._book = Codebook()
        self._book.know(names)
        self.writer = ArchiveWriter(self.folder, self._book, memory_octets=256 << 20)
        self.writer.open()

    def part(self, *records: Mapping[str, Any]) -> "Filled":
        """Write records, as one part for each of their hours."""
        flows, duplicate = batch(*records)
        columns = columns_of(flows, duplicate, self._book, EXPORTERS)
        for hour, rows in by_hour(columns)[0]:
            self.writer.write_hour(
                hour, columns if rows is None else {name: columns[name][rows] for name in COLUMN_NAMES}
            )
        return self

    def merged(self) -> "Filled":
        """Put the parts of every hour together."""
        for hour in self.folder.hours():
            self.writer.merge(hour)
        return self

    def files(self) -> list[str]:
        """Return the names of all files."""
        return sorted(file.path.name for hour in self.folder.hours() for file in self.folder.files(hour))

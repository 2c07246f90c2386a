"""ArchiveDesk: the view of the archive that is served: searches, rankings, what it holds."""

from dataclasses import replace
from functools import partial
from typing import Final

from typing_extensions import override

from btimd.model.archive import ArchiveStatus, ArchiveView, FlowSearch, Ranking, RankingQuery, SearchResult
from btimd.model.ports import SeriesStore
from btimd.runtime.clock import Clock
from btimd.store.archive import FlowArchive
from btimd.store.archivefiles import connect
from btimd.store.archivequery import check
from btimd.store.archivesearch import ArchiveSearch, SearchThreads
from btimd.store.archivesource import ArchiveReader
from btimd.store.ranking import ArchivePlan, SeriesPlan, archive_ranking, plan, series_ranking
from btimd.store.settings import ArchiveSettings

_WRITE_SECONDS: Final = 5.0
_WRITE_EVERY_SECONDS: Final = 10.0
_LISTED: Final = 20
_MILLIS: Final = 1000
_OFF: Final = "the archive is switched off (store.archive.enabled = false), there is only what it took before"


class ArchiveDesk(ArchiveView):
    """Answers from an archive and the series store; use on the loop. A search first has the newest records written."""

    def __init__(self, archive: FlowArchive, series: SeriesStore, settings: ArchiveSettings, clock: Clock) -> None:
        self._archive = archive
        self._series = series
        self._settings = settings
        self._clock = clock
        self._threads = SearchThreads()
        self._written_at = float("-inf")

    def close(self) -> None:
        """Start no more searches."""
        self._threads.close()

    @override
    async def search(self, search: FlowSearch) -> SearchResult:
        """Find flow records."""
        check(search)
        return await self._threads.run(partial(self._search, search))

    def _search(
        self, search: FlowSearch, *, began: bool = False, order: str = "octets", clients: bool = False
    ) -> SearchResult:
        self._write(search.to_milliseconds)
        found = ArchiveSearch(
            self._archive.folder,
            search,
            timeout_seconds=self._settings.search_timeout,
            monotonic=self._clock.monotonic,
            memory_octets=self._settings.memory_bytes,
            began=began,
        )
        result = found.run(order=order, clients=clients)
        if self._settings.enabled or result.coverage.stopped:
            return result
        return replace(result, coverage=replace(result.coverage, stopped=_OFF))

    def _write(self, to_milliseconds: int) -> None:
        """Have the newest records written where they may be among what is searched for, but not all the time."""
        now = self._clock.monotonic()
        waiting = any(self._archive.unwritten)
        recent = to_milliseconds >= (self._clock.wall() - 2 * self._settings.part_every) * _MILLIS
        if waiting and recent and now - self._written_at >= _WRITE_EVERY_SECONDS:
            self._written_at = now
            self._archive.write_now(_WRITE_SECONDS)

    @override
    async def rank(self, query: RankingQuery) -> Ranking:
        """Return the largest of something."""
        found = plan(query)
        if isinstance(found, SeriesPlan):
            return series_ranking(found, [await self._series.query(one) for one in found.queries])
        return archive_ranking(found, await self._threads.run(partial(self._rank, found)))

    def _rank(self, found: ArchivePlan) -> SearchResult:
        return self._search(found.search, began=True, order=found.order, clients=found.clients)

    @override
    async def status(self) -> ArchiveStatus:
        """Return what the archive holds."""
        return await self._threads.run(self._status)

    def _status(self) -> ArchiveStatus:
        reader = ArchiveReader(self._archive.folder.path, folder=self._archive.folder)
        connection = connect(threads=1)
        try:
            found = [one for hour in self._archive.folder.hours() for one in reader.readable(hour, connection)]
        finally:
            connection.close()
        counts = self._archive.counts()
        bad = {**self._archive.bad, **reader.bad}
        return ArchiveStatus(
            enabled=self._settings.enabled,
            hours=len({one.file.hour for one in found}),
            files=len(found),
            octets=sum(one.file.all_octets for one in found),
            records=sum(one.facts.records for one in found),
            oldest_milliseconds=min((one.facts.first_start for one in found), default=None),
            newest_milliseconds=max((one.facts.last_start for one in found), default=None),
            max_octets=self._settings.max_bytes,
            keep_seconds=self._settings.keep,
            written=counts.written,
            dropped=counts.dropped,
            waiting=counts.waiting,
            bad_files=tuple(f"{path}: {why}" for path, why in sorted(bad.items())[:_LISTED]),
            problem=self._archive.health().reason,
        )

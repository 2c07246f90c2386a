"""DiscoveryService: asks the archive on request, off the loop, one question at a time, and remembers the answers."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from typing_extensions import override

from btimd.flows.activity import Activity
from btimd.flows.attribution import Attribution
from btimd.flows.conversations import ConversationBuilder, Traffic, joined, traffic_of
from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.modelcheck import compare_model
from btimd.flows.suggest import Where, suggest
from btimd.flows.suggestpatch import patch_of
from btimd.flows.weakspots import past_causes, weak_spots
from btimd.model.conversations import RecordSource
from btimd.model.discovery import (
    DiscoveryUnavailableError,
    DiscoveryView,
    ModelComparison,
    Suggestions,
    WeakSpot,
)
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceGraph
from btimd.model.units import Seconds, UnixMillis
from btimd.model.verdict import Verdict
from btimd.runtime.clock import Clock, wall_milliseconds

T = TypeVar("T")
_HOUR: Final = 3_600_000
_MILLIS: Final = 1000
_MOST_CACHED: Final = 16
NO_ARCHIVE: Final = (
    "no flow records are kept: switch the archive on ([store.archive] in btimd.toml), and wait for traffic"
)


@dataclass(frozen=True, slots=True)
class DiscoveryLimits:
    """How much is looked at. records: the latest so many are looked at one by one, what is older as conversations.

    activity_records: of these, the latest so many for how activities go together. conversations: most, by flows.
    longest_seconds: the longest time that may be asked for. remember_seconds: how long an answer is given again.
    """

    records: int = 10_000_000
    activity_records: int = 5_000_000
    conversations: int = 1_000_000
    longest_seconds: Seconds = 31 * 86_400.0
    remember_seconds: Seconds = 60.0


def records_between(
    source: RecordSource, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis, most: int
) -> Iterator[tuple[UnixMillis, FlowBatch]]:  # fmt: skip
    """Yield (begin of its hour, records), the latest hour first, until there were `most`; an hour is never cut."""
    end, count = to_milliseconds, 0
    while end > from_milliseconds and count < most:
        begin = max((end - 1) // _HOUR * _HOUR, from_milliseconds)
        for batch in source.records(begin, end):
            count += len(batch)
            yield begin, batch
        end = begin


@dataclass(frozen=True, slots=True)
class Looking:
    """How the past is looked at: where it is kept, what it is attributed by, and how much of it is enough."""

    source: RecordSource
    attribution: Attribution
    limits: DiscoveryLimits

    def traffic(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Traffic:
        """Return what went on: of the latest records one by one, of what is older by the archive's sums."""
        limits, attribution = self.limits, self.attribution
        rules = tuple(rule.id for rule in attribution.rules)
        builder = ConversationBuilder(rules, limits.conversations)
        covered = to_milliseconds
        for begin, batch in records_between(self.source, from_milliseconds, to_milliseconds, limits.records):
            covered = min(covered, begin)
            builder.add(attribution.attribute(batch))
        if builder.records_added < limits.records or covered <= from_milliseconds:
            return builder.traffic(from_milliseconds, to_milliseconds)
        recent = builder.traffic(covered, to_milliseconds)
        older = self.source.conversations(from_milliseconds, covered, limits.conversations)
        return joined(traffic_of(_renumbered(older, rules)), recent)

    def activity(
        self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis
    ) -> Callable[[Any, int, Any], tuple[Activity, int] | None]:
        """Return what flows.suggest asks for activity over time with."""

        def look(
            ends: Sequence[tuple[int, int, int, int, int]], groups: int, edges: Sequence[tuple[int, int]]
        ) -> tuple[Activity, int] | None:
            if not edges:
                return None
            most, begin, count = self.limits.activity_records, to_milliseconds, 0
            # a first look tells how far back the latest records reach: bins are made for that time
            for hour, batch in records_between(self.source, from_milliseconds, to_milliseconds, most):
                begin, count = min(begin, hour), count + len(batch)
            if not count:
                return None
            made = Activity(ends, groups, edges, begin, to_milliseconds)
            for batch in self.source.records(begin, to_milliseconds):
                made.add(batch)
            return made, count

        return look

    def where(self, names: Mapping[str, str] | None = None) -> Where:
        """Return where addresses are."""
        segments = self.attribution.segments
        return Where(self.attribution.plan, lambda hi, lo: segments.row[segments.locate(hi, lo)], names or {})

    def suggestions(
        self,
        model: ModelAddresses,
        from_milliseconds: UnixMillis,
        to_milliseconds: UnixMillis,
        names: Mapping[str, str] | None = None,
    ) -> Suggestions:
        """Return what is proposed, with its patch."""
        traffic = self.traffic(from_milliseconds, to_milliseconds)
        activity = self.activity(from_milliseconds, to_milliseconds)
        found = suggest(traffic, model, self.where(names), activity=activity)
        return replace(found, patch=patch_of(found, model))


def _renumbered(found: Any, rules: tuple[str, ...]) -> Any:
    """Return the archive's conversations with the rules of today; one that is gone leaves its traffic to nobody."""
    number = {name: index for index, name in enumerate(rules)}
    table = np.array([*(number.get(name, -1) for name in found.rules), -1], np.int32)
    return replace(found, rules=rules, rule_id=table[found.rule_id])


class DiscoveryService(DiscoveryView):
    """Serves discovery from what the daemon holds. Every argument that can be called is called on the loop.

    source: opens the archive for one question, None = none is kept. users: on line now by business, None = not known.
    verdicts: the latest, for what was the cause before.
    """

    def __init__(
        self,
        *,
        source: Callable[[], RecordSource | None],
        attribution: Callable[[], Attribution],
        graph: Callable[[], ServiceGraph],
        users: Callable[[], Mapping[str, int | None]],
        verdicts: Callable[[], Sequence[Verdict]],
        clock: Clock,
        limits: DiscoveryLimits | None = None,
        alone: Callable[[ServiceGraph], Collection[str] | None] = lambda _: None,
    ) -> None:
        self._source, self._attribution, self._graph = source, attribution, graph
        self._users, self._verdicts, self._clock = users, verdicts, clock
        self._limits = limits or DiscoveryLimits()
        self._alone = alone
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._remembered: dict[tuple[str, int, int, int], tuple[float, Any]] = {}

    @override
    async def suggest(self, since_seconds: Seconds) -> Suggestions:
        """Return what the traffic of the last so many seconds proposes."""
        return await self._ask("suggest", since_seconds, Looking.suggestions)

    @override
    async def compare(self, since_seconds: Seconds) -> ModelComparison:
        """Return how model and traffic differ."""

        def compared(looking: Looking, model: ModelAddresses, begin: int, end: int) -> ModelComparison:
            return compare_model(looking.traffic(begin, end), model, looking.where().row_of)

        return await self._ask("compare", since_seconds, compared)

    @override
    async def weak_spots(self) -> Sequence[WeakSpot]:
        """Return the nodes that businesses hang on."""
        model = ModelAddresses(self._graph(), self._attribution().rules)
        users, past = self._users(), past_causes(self._verdicts())

        def work() -> list[WeakSpot]:
            return weak_spots(model, users, past, self._alone(model.graph))

        return await asyncio.to_thread(work)

    async def _ask(
        self, what: str, since_seconds: Seconds, work: Callable[[Looking, ModelAddresses, int, int], T]
    ) -> T:
        """Answer, and finish what was begun when the caller goes away: a thread cannot be stopped, only waited for."""
        task = asyncio.create_task(self._answer(what, since_seconds, work))
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits is told; nobody else needs to be

    async def _answer(
        self, what: str, since_seconds: Seconds, work: Callable[[Looking, ModelAddresses, int, int], T]
    ) -> T:  # fmt: skip
        since = min(since_seconds, self._limits.longest_seconds)
        async with self._one_at_a_time:
            attribution, graph = self._attribution(), self._graph()
            key = what, round(since), attribution.generation, graph.generation
            now = self._clock.monotonic()
            found = self._remembered.get(key)
            if found is not None and now - found[0] < self._limits.remember_seconds:
                answer: T = found[1]
                return answer
            source = self._source()
            if source is None:
                raise DiscoveryUnavailableError(NO_ARCHIVE)
            end = wall_milliseconds(self._clock)
            begin = end - round(since * _MILLIS)
            looking = Looking(source, attribution, self._limits)
            model = ModelAddresses(graph, attribution.rules)
            answer = await asyncio.to_thread(work, looking, model, begin, end)
            self._remembered = {
                kept: value for kept, value in list(self._remembered.items())[-_MOST_CACHED + 1 :]
                if now - value[0] < self._limits.remember_seconds
            }  # fmt: skip
            self._remembered[key] = self._clock.monotonic(), answer
            return answer

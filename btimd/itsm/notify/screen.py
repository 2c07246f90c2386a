"""The screen: notices shown to whoever has a stream open, kept until they are old for who opens one later."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from btimd.itsm.notify.answers import SendResult
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Means, Notice, NoticeState
from btimd.model.units import Seconds
from btimd.runtime.clock import Clock
from btimd.runtime.feed import Feed, FeedSubscription

KEPT: Final = 2000
"""Notices that a new stream begins with, of all persons."""
_SHOWN_FOR: Final = 86_400.0


class ScreenSubscription:
    """One person's open screen (a model.ports.Subscription of Notice); an administrator's shows everybody's."""

    def __init__(self, screen: "Screen", inner: FeedSubscription[tuple[str, str, str], Notice], person: str) -> None:
        self._screen, self._inner, self._person = screen, inner, person
        self._open = True

    @property
    def snapshot(self) -> Sequence[Notice]:
        """What was told in the last day, oldest first."""
        return self._screen.recent([notice for notice in self._inner.snapshot if self._mine(notice)])

    async def changes(self) -> AsyncIterator[Sequence[Notice]]:
        """Yield new notices."""
        async for batch in self._inner.changes():
            mine = [notice for notice in batch if self._mine(notice)]
            if mine:
                yield mine

    def close(self) -> None:
        """Give it back; may be called twice."""
        if self._open:
            self._open = False
            self._screen.left(self._person)
            self._inner.close()

    def _mine(self, notice: Notice) -> bool:
        return not self._person or notice.person == self._person


class Screen:
    """The sender for the screen. The latest notice per incident, person and kind is shown, not every repetition.

    wanted: whether a notice is still of use to who opens a screen now.
    """

    means = Means.SCREEN
    name = "screen"
    max_in_flight = 64
    per_minute = 60_000

    def __init__(
        self, clock: Clock, shown_for: Seconds = _SHOWN_FOR, wanted: Callable[[Notice], bool] = lambda _: True
    ) -> None:
        self._clock = clock
        self._wanted = wanted
        self._shown_for = shown_for
        self._feed: Feed[tuple[str, str, str], Notice] = Feed(KEPT)
        self._watching: Counter[str] = Counter()

    async def start(self) -> None:
        """Need nothing."""

    async def stop(self) -> None:
        """Hold nothing."""

    @property
    def watching(self) -> frozenset[str]:
        """Persons with an open stream of their own."""
        return frozenset(self._watching)

    def watch(self, person: str) -> ScreenSubscription:
        """Open a person's screen; "" = everybody's notices, which counts as nobody's screen."""
        if person:
            self._watching[person] += 1
        return ScreenSubscription(self, self._feed.subscribe(), person)

    def restore(self, notices: Sequence[Notice]) -> None:
        """Take back what was shown, or waited to be, before a restart; oldest first."""
        since = self._clock.wall() - self._shown_for
        for notice in (one for one in notices if one.due_at >= since):
            self._feed.publish((notice.incident_id, notice.person, notice.kind.value), notice)

    def left(self, person: str) -> None:
        """Count one stream less (called by its close)."""
        if person:
            self._watching[person] -= 1
            if self._watching[person] <= 0:
                del self._watching[person]

    def recent(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Return those that are neither too old to be shown nor over."""
        since = self._clock.wall() - self._shown_for
        return [notice for notice in notices if notice.due_at >= since and self._wanted(notice)]

    async def send(self, notice: Notice) -> SendResult:
        """Show a notice. It is delivered where the person has a stream open, else it waits for one."""
        self._feed.publish((notice.incident_id, notice.person, notice.kind.value), notice)
        if notice.person in self._watching:
            return SendResult(Outcome(OutcomeKind.DELIVERED, "shown"), state=NoticeState.DELIVERED)
        return SendResult(Outcome(OutcomeKind.DELIVERED, "waits for the person's screen"))

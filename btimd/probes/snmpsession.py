"""One poll of one device, as a state machine: what to ask next, and what to make of each answer or silence.

Tables are walked with GETBULK (RFC 3416 section 4.2.3), all columns of a table side by side. Each column keeps its own
place, so columns with holes, answers cut short and agents that mix up rows do no harm. Whatever an agent answers, a
poll ends: a column ends where its object identifiers stop growing, at its bound of rows, and with the poll's deadline.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from btimd.model.units import MonotonicSeconds, UnixMillis

Oid: TypeAlias = tuple[int, ...]
Value: TypeAlias = int | bytes | Oid | None
"""A number (INTEGER, counters, ticks), octets (strings, IpAddress), an object identifier, or None: not there."""

ERROR_NAMES: Final = {
    1: "tooBig",
    2: "noSuchName",
    3: "badValue",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}
TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2
_AUTHORIZATION_ERROR: Final = 16
_FIRST_REPETITIONS: Final = 5
_SILENT_TABLES: Final = 2
_LONGEST_OID: Final = 128  # RFC 2578 section 3.5


@dataclass(frozen=True, slots=True)
class Get:
    """GetRequest for these objects."""

    oids: tuple[Oid, ...]


@dataclass(frozen=True, slots=True)
class GetBulk:
    """GetBulkRequest: up to max_repetitions successors of each of these."""

    oids: tuple[Oid, ...]
    max_repetitions: int


Request: TypeAlias = Get | GetBulk


@dataclass(frozen=True, slots=True)
class Answered:
    """A Response. error_status, error_index: RFC 3416 section 3; 0 = none."""

    varbinds: tuple[tuple[Oid, Value], ...]
    error_status: int = 0
    error_index: int = 0


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing came in time."""


class Rejection(StrEnum):
    """Why a device, or our own side, refused a request; the first ones are told by reports of SNMPv3 (RFC 3414)."""

    UNKNOWN_USER = "unknown user"
    WRONG_DIGEST = "wrong digest"
    NOT_IN_TIME_WINDOW = "not in time window"
    UNSUPPORTED_LEVEL = "unsupported security level"
    DECRYPTION = "decryption error"
    UNKNOWN_ENGINE = "unknown engine"
    UNKNOWN_CONTEXT = "unknown context"
    BAD_ANSWER = "bad answer"
    NO_RIGHTS = "no rights"
    CANNOT_SEND = "cannot send"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A request was refused. detail: what the library or the operating system says of it; holds no secrets."""

    why: Rejection
    detail: str = ""


Answer: TypeAlias = Answered | NoAnswer | Rejected


@dataclass(slots=True)
class Readings:
    """What a poll has read so far.

    columns: column -> index of the row -> value. arrived: timed table -> index -> when its row came, ms since 1970.
    partial: tables that could not be read whole, each with its reason. unfinished: the names of those.
    """

    scalars: dict[Oid, Value] = field(default_factory=dict)
    columns: dict[Oid, dict[Oid, Value]] = field(default_factory=dict)
    arrived: dict[str, dict[Oid, UnixMillis]] = field(default_factory=dict)
    partial: list[str] = field(default_factory=list)
    unfinished: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)

    def column(self, oid: Oid) -> Mapping[Oid, Value]:
        """Return the rows of a column, none if it was not asked for."""
        return self.columns.get(oid, {})


@dataclass(frozen=True, slots=True)
class Scalars:
    """Objects read with one GetRequest, with more where the agent finds that too big."""

    name: str
    oids: tuple[Oid, ...]


def _always(_: Readings) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a table. entry: the object identifier of its row, to which the number of a column is added.

    max_rows: more are not read; that is told in `partial` unless head_only. needed: whether it is asked for, judged
    when its turn comes. timed: note when each row of its first column came.
    """

    name: str
    entry: Oid
    columns: tuple[int, ...]
    max_rows: int
    needed: Callable[[Readings], bool] = _always
    head_only: bool = False
    timed: bool = False


Step: TypeAlias = Scalars | Table


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one poll may cost.

    retries: repetitions of a request that stays without an answer. within_seconds: the poll is broken off after so
    long. max_requests: likewise after so many. varbinds: values that one answer should hold at most.
    """

    retries: int = 2
    within_seconds: float = 300.0
    max_requests: int = 10_000
    varbinds: int = 50


@dataclass(slots=True)
class _Column:
    prefix: Oid
    cursor: Oid
    rows: int = 0
    ended: bool = False


class Session:
    """Asks a device for a list of tables; `readings` and `failure` tell how that went.

    next() gives the request to send, None when the poll is over; take() wants the answer to it. failure: why the device
    told nothing at all. varbinds: the size of answers the device got along with, for the next poll. expected: rows of
    each table at the last poll, so that no more is asked for than is there.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        limits: SessionLimits,
        now: MonotonicSeconds,
        *,
        expected: Mapping[str, int] | None = None,
    ) -> None:
        self.readings = Readings()
        self.failure: NoAnswer | Rejected | None = None
        self.varbinds = max(1, limits.varbinds)
        self.requests = 0
        self._limits = limits
        self._deadline = now + limits.within_seconds
        self._expected = expected or {}
        self._steps = deque(steps)
        self._step: Step | None = None
        self._scalars: deque[tuple[Oid, ...]] = deque()
        self._columns: list[_Column] = []
        self._asked: list[_Column] = []
        self._request: Request | None = None
        self._tries = 0
        self._silent_tables = 0
        self._heard = False
        self._is_over = False

    def next(self, now: MonotonicSeconds) -> Request | None:
        """Return what to ask now; None: the poll is over."""
        if not self._is_over and self._begin_step():
            if now >= self._deadline:
                self._break_off(f"the poll took longer than {self._limits.within_seconds:g} s")
            elif self.requests >= self._limits.max_requests:
                self._break_off(f"the poll took more than {self._limits.max_requests} requests")
            else:
                self.requests += 1
                self._request = self._compose()
                return self._request
        self._is_over = True
        return None

    def take(self, answer: Answer, at: UnixMillis) -> None:
        """Go on with the answer to the last request; `at` is when it came."""
        request, self._request = self._request, None
        if request is None:
            raise ValueError("take() needs a next() before it")
        match answer:
            case NoAnswer():
                self._take_silence(answer)
            case Rejected():
                self._give_up(answer, f"the device refused: {answer.why}")
            case Answered():
                if answer.error_status == _AUTHORIZATION_ERROR and not self._heard:
                    self._give_up(Rejected(Rejection.NO_RIGHTS), "no rights")
                    return
                self._heard, self._tries, self._silent_tables = True, 0, 0
                if isinstance(request, Get):
                    self._take_scalars(request, answer)
                else:
                    self._take_rows(answer, at)

    def _begin_step(self) -> bool:
        """Go to the next step that has something to ask; tell whether there is one."""
        while not self._scalars and all(column.ended for column in self._columns):
            if isinstance(self._step, Table):
                self.readings.rows[self._step.name] = max((column.rows for column in self._columns), default=0)
            self._columns = []
            if not self._steps:
                self._step = None
                return False
            self._step = self._steps.popleft()
            self._tries = 0
            if isinstance(self._step, Scalars):
                self._scalars.append(self._step.oids)
            elif self._step.needed(self.readings):
                for number in self._step.columns:
                    prefix = (*self._step.entry, number)
                    self._columns.append(_Column(prefix, prefix))
                    self.readings.columns[prefix] = {}
        return True

    def _compose(self) -> Request:
        if self._scalars:
            return Get(self._scalars[0])
        # Those that are behind go first: an answer cut short then still brings each of them forward in turn.
        waiting = sorted((column for column in self._columns if not column.ended), key=lambda column: column.rows)
        self._asked = waiting[: self.varbinds]
        most = max(1, self.varbinds // len(self._asked))
        name = self._step.name if self._step is not None else ""
        expected = self._expected.get(name)
        behind = self._asked[0].rows
        if expected is None:
            wanted = _FIRST_REPETITIONS if behind == 0 else most
        else:
            wanted = expected - behind + 1 if expected >= behind else most
        return GetBulk(tuple(column.cursor for column in self._asked), max(1, min(most, wanted)))

    def _take_silence(self, silence: NoAnswer) -> None:
        self._tries += 1
        if self._tries <= self._limits.retries:
            if self._heard:
                self._ask_for_less()
            return
        if not self._heard:
            self._give_up(silence, "")
            return
        self._silent_tables += 1
        if self._silent_tables >= _SILENT_TABLES:
            self._break_off("the device stopped answering")
        else:
            self._leave_step("no answer")

    def _take_scalars(self, request: Get, answer: Answered) -> None:
        self._scalars.popleft()
        if not answer.error_status:
            told = dict(answer.varbinds)
            for oid in request.oids:
                self.readings.scalars[oid] = told.get(oid)
            return
        if answer.error_status != TOO_BIG and 1 <= answer.error_index <= len(request.oids):
            culprit = request.oids[answer.error_index - 1]
            self.readings.scalars[culprit] = None
            rest = tuple(oid for oid in request.oids if oid != culprit)
            if rest:
                self._scalars.appendleft(rest)
        elif len(request.oids) > 1:
            half = len(request.oids) // 2
            self._scalars.extendleft((request.oids[half:], request.oids[:half]))
        else:
            self.readings.scalars[request.oids[0]] = None

    def _take_rows(self, answer: Answered, at: UnixMillis) -> None:
        table = self._step
        assert isinstance(table, Table)  # noqa: S101  GetBulk is only sent for tables
        if answer.error_status == TOO_BIG:
            if not self._ask_for_less():
                self._leave_step("the agent finds an answer with one value too big")
            return
        if answer.error_status == NO_SUCH_NAME and 1 <= answer.error_index <= len(self._asked):
            self._asked[answer.error_index - 1].ended = True  # how SNMPv1 says that nothing follows
            return
        if answer.error_status:
            error = ERROR_NAMES.get(answer.error_status, f"error {answer.error_status}")
            if 1 <= answer.error_index <= len(self._asked):
                self._end_early(self._asked[answer.error_index - 1], f"the agent answered {error}")
            else:
                self._leave_step(f"the agent answered {error}")
            return
        if not answer.varbinds:
            self._leave_step("the agent sent an answer without values")
            return
        for position, (oid, value) in enumerate(answer.varbinds):
            self._take_value(self._asked[position % len(self._asked)], oid, value, table, at)

    def _take_value(self, column: _Column, oid: Oid, value: Value, table: Table, at: UnixMillis) -> None:
        if column.ended:
            return
        length = len(column.prefix)
        if value is None or oid[:length] != column.prefix:
            column.ended = True
        elif oid <= column.cursor or len(oid) > _LONGEST_OID:
            self._end_early(column, "the agent repeats itself")
        elif column.rows >= table.max_rows:
            if table.head_only:
                column.ended = True
            else:
                self._end_early(column, f"more than {table.max_rows} rows")
        else:
            column.cursor = oid
            column.rows += 1
            self.readings.columns[column.prefix][oid[length:]] = value
            if table.timed and column is self._columns[0]:
                self.readings.arrived.setdefault(table.name, {})[oid[length:]] = at

    def _ask_for_less(self) -> bool:
        """Halve the size of answers; tell whether that was possible."""
        could = self.varbinds > 1
        self.varbinds = max(1, self.varbinds // 2)
        return could

    def _end_early(self, column: _Column, reason: str) -> None:
        column.ended = True
        self._note(reason)

    def _leave_step(self, reason: str) -> None:
        self._note(reason)
        self._scalars.clear()
        for column in self._columns:
            column.ended = True

    def _note(self, reason: str) -> None:
        if self._step is not None and self._step.name not in self.readings.unfinished:
            self.readings.unfinished.add(self._step.name)
            self.readings.partial.append(f"{self._step.name}: {reason}")

    def _break_off(self, reason: str) -> None:
        """End the poll; what was not read is told once, by name."""
        self._leave_step(reason)
        rest = [step.name for step in self._steps]
        self.readings.unfinished.update(rest)
        if rest:
            self.readings.partial.append(f"{', '.join(rest)}: not asked, {reason}")
        self._steps.clear()

    def _give_up(self, failure: NoAnswer | Rejected, reason: str) -> None:
        if not self._heard:
            self.failure = failure
        self._break_off(reason or "no answer")
        self._is_over = True

"""The months and outages an availability account counts in, and how they are written down."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from btimd.model.agreement import OutageChange, OutageFact
from btimd.model.sla import Availability, Outage
from btimd.model.units import MILLIS_PER_SECOND, UnixMillis
from btimd.sla.conditions import ConditionLog

_DECEMBER: Final = 12


def month_bounds(at_milliseconds: UnixMillis) -> tuple[UnixMillis, UnixMillis]:
    """Return the first millisecond of the calendar month (UTC) that contains a moment, and of the next one."""
    moment = datetime.fromtimestamp(at_milliseconds / MILLIS_PER_SECOND, UTC)
    start = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    following = (moment.year + 1, 1) if moment.month == _DECEMBER else (moment.year, moment.month + 1)
    end = datetime(*following, 1, tzinfo=UTC)
    return round(start.timestamp() * MILLIS_PER_SECOND), round(end.timestamp() * MILLIS_PER_SECOND)


@dataclass(slots=True)
class OutageNote:
    """What is noted of an outage; ended None: it goes on."""

    began: UnixMillis
    ended: UnixMillis | None
    cause: str
    incident_id: str
    supplier: str = ""
    planned: bool = False
    users: int | None = None
    users_exact: bool = False


@dataclass(slots=True)
class Month:
    """One month's sums, up to `until`; dropped_outages: those over the limit, whose time is counted all the same."""

    start: UnixMillis
    end: UnixMillis
    until: UnixMillis
    up: int = 0
    down: int = 0
    unknown: int = 0
    outages: list[OutageNote] = field(default_factory=list)
    dropped_outages: int = 0

    def book(self, availability: Availability, span: int) -> None:
        """Add time (take it away, where the span is negative)."""
        if availability is Availability.UP:
            self.up += span
        elif availability is Availability.DOWN:
            self.down += span
        else:
            self.unknown += span


def outage_of(business: str, outage: OutageNote) -> Outage:
    """Return an outage as the state of a target tells it."""
    ended = None if outage.ended is None else outage.ended / MILLIS_PER_SECOND
    return Outage(business, outage.began / MILLIS_PER_SECOND, ended, outage.cause, outage.incident_id)


def month_document(month: Month) -> dict[str, Any]:
    """Return a month as plain data."""
    return {
        "start": month.start,
        "until": month.until,
        "up": month.up,
        "down": month.down,
        "unknown": month.unknown,
        "dropped_outages": month.dropped_outages,
        "outages": [list(astuple(one)) for one in month.outages],
    }


def month_of(document: Mapping[str, Any]) -> Month:
    """Return the month of `month_document`; raises KeyError, TypeError or ValueError for anything else."""
    start, end = month_bounds(int(document["start"]))
    outages = [_outage_from(*written) for written in document["outages"]]
    month = Month(
        start=start,
        end=end,
        until=int(document["until"]),
        up=int(document["up"]),
        down=int(document["down"]),
        unknown=int(document["unknown"]),
        outages=outages,
        dropped_outages=int(document["dropped_outages"]),
    )
    if month.start + month.up + month.down + month.unknown != month.until:
        raise ValueError(f"the sums of the month from {month.start} do not make up its elapsed time")
    return month


def _outage_from(
    began: Any,
    ended: Any,
    cause: Any,
    incident_id: Any,
    supplier: Any = "",
    planned: Any = False,  # noqa: FBT002  as it is written
    users: Any = None,
    users_exact: Any = False,  # noqa: FBT002  as it is written
) -> OutageNote:
    """Return an outage as it was written; version 1 wrote the first four only."""
    return OutageNote(
        began=int(began),
        ended=None if ended is None else int(ended),
        cause=str(cause),
        incident_id=str(incident_id),
        supplier=str(supplier),
        planned=bool(planned),
        users=None if users is None else int(users),
        users_exact=bool(users_exact),
    )


def log_of(months: Sequence[Month]) -> ConditionLog:
    """Return what months without a log tell: when it was down; where all of a month was measured, that it was up."""
    log = ConditionLog(months[0].start)
    for month in months:
        log.append(month.start, Availability.UNKNOWN)
        log.append(month.until, Availability.UNKNOWN if month.unknown else Availability.UP)
        for outage in month.outages:
            log.put(
                max(outage.began, month.start),
                month.until if outage.ended is None else min(outage.ended, month.until),
                Availability.DOWN,
            )
    return log


def overlap(outage: OutageNote, begin: UnixMillis, stop: UnixMillis) -> int:
    """Return how long an outage lasted within a stretch of time."""
    return max(min(stop, stop if outage.ended is None else outage.ended) - max(begin, outage.began), 0)


def change_note(outage: OutageNote, change: OutageChange) -> None:
    """Note what an outage really was."""
    outage.cause = outage.cause if change.cause is None else change.cause
    outage.supplier = outage.supplier if change.supplier is None else change.supplier
    outage.planned = outage.planned if change.planned is None else change.planned
    if change.users is not None:
        outage.users, outage.users_exact = change.users, True


def fact_of(subject: str, outage: OutageNote) -> OutageFact:
    """Return an outage for those who reckon with it."""
    return OutageFact(
        subject=subject,
        began_at=outage.began / MILLIS_PER_SECOND,
        ended_at=None if outage.ended is None else outage.ended / MILLIS_PER_SECOND,
        cause=outage.cause,
        incident_id=outage.incident_id,
        supplier=outage.supplier,
        planned=outage.planned,
        users=outage.users,
        users_exact=outage.users_exact,
    )

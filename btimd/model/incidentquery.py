"""Which incidents are meant, and how many have something in common: what lists, histories and counts ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Protocol

from btimd.model.incident import Incident, IncidentState, Priority
from btimd.model.units import UnixSeconds

MOST_SEARCHED: Final = 20_000
"""Of the incidents opened in the time asked for, so many of the newest are looked at."""
_UPPER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class IncidentDimension(StrEnum):
    """What incidents are counted by."""

    STATE = "state"
    PRIORITY = "priority"
    ASSIGNEE = "assignee"
    GROUP = "group"
    CATEGORY = "category"
    NODE = "node"
    REPORTER = "reporter"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: incidents that touch one of the businesses and one of the regions, and their own.

    Empty businesses or regions leave nothing out; what touches no known region counts as inside. person: who looks, ""
    = nobody; what they reported or have is theirs whatever it touches.
    """

    businesses: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    person: str = ""

    @property
    def is_all(self) -> bool:
        """Tell whether nothing is left out."""
        return not self.businesses and not self.regions

    def covers(self, incident: Incident) -> bool:
        """Tell whether they may see an incident."""
        if self.person and self.person in {incident.reporter, incident.assignee}:
            return True
        hit = incident.assessment
        if self.businesses and self.businesses.isdisjoint(hit.businesses):
            return False
        return not self.regions or not hit.regions or not self.regions.isdisjoint(hit.regions)


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Which incidents are meant: those that fit everything that is given; what is empty leaves nothing out.

    only_open: only those on which work is owed; not asked where states are given. category: this one or a part of it
    ("db" is also "db.oracle"). node: the cause, or what was repaired. opened_from, opened_before: half open. text:
    stands in id, title, description, cause or closing report, letters A to Z in either case.
    """

    only_open: bool = True
    states: frozenset[IncidentState] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    business: str = ""
    region: str = ""
    assignee: str = ""
    group: str = ""
    category: str = ""
    node: str = ""
    reporter: str = ""
    opened_from: UnixSeconds | None = None
    opened_before: UnixSeconds | None = None
    text: str = ""
    sight: Sight = Sight()

    @property
    def by_work(self) -> bool:
        """Tell whether the order is that of the work (priority, then the oldest first), and not the newest first."""
        return self.only_open and not self.states

    def fits(self, incident: Incident) -> bool:
        """Tell whether an incident is meant."""
        state_fits = incident.state in self.states if self.states else incident.state.is_open or not self.only_open
        hit = incident.assessment
        return (
            state_fits
            and self.sight.covers(incident)
            and (not self.priorities or incident.priority in self.priorities)
            and (not self.business or self.business in hit.businesses)
            and (not self.region or self.region in hit.regions)
            and self.assignee in {"", incident.assignee}
            and self.group in {"", incident.group}
            and self.reporter in {"", incident.reporter}
            and (not self.category or f"{incident.category}.".startswith(f"{self.category}."))
            and self.node in {"", incident.cause, incident.closing.node if incident.closing else ""}
            and (self.opened_from is None or incident.opened_at >= self.opened_from)
            and (self.opened_before is None or incident.opened_at < self.opened_before)
            and _says(incident, self.text)
        )


def _says(incident: Incident, text: str) -> bool:
    parts = (incident.id, incident.title, incident.description, incident.cause, incident.closing_report)
    return not text or any(text.translate(_UPPER) in part.translate(_UPPER) for part in parts)


@dataclass(frozen=True, slots=True)
class IncidentsFound:
    """Incidents in the order of the query. older_left_out: older ones were not looked at (MOST_SEARCHED)."""

    incidents: tuple[Incident, ...]
    older_left_out: bool = False


@dataclass(frozen=True, slots=True)
class IncidentCount:
    """How many incidents have these values, in the order of what was counted by; "" = not known. open: of those."""

    values: tuple[str, ...]
    incidents: int
    open: int


@dataclass(frozen=True, slots=True)
class IncidentsCounted:
    """Counts, largest first, then by values. older_left_out: older ones were not looked at (MOST_SEARCHED)."""

    counts: tuple[IncidentCount, ...]
    older_left_out: bool = False


def value_of(incident: Incident, dimension: IncidentDimension) -> str:
    """Return what an incident is counted under."""
    match dimension:
        case IncidentDimension.PRIORITY:
            return incident.priority.name
        case IncidentDimension.NODE:
            return incident.cause
        case IncidentDimension.MONTH:
            return datetime.fromtimestamp(incident.opened_at, UTC).strftime("%Y-%m")
        case _:
            return str(getattr(incident, dimension.value))


class IncidentSearch(Protocol):
    """Finds incidents among all that are kept."""

    async def find(self, query: IncidentQuery, limit: int) -> IncidentsFound:
        """Return the first `limit` incidents that are meant."""
        ...

    async def count(self, query: IncidentQuery, group_by: Sequence[IncidentDimension], limit: int) -> IncidentsCounted:
        """Return how many incidents are meant, by what they have in common."""
        ...

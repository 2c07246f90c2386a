"""The register: the incidents something can still happen to, found by id, by cause and by diagnosis."""

from collections.abc import Iterable, Sequence
from typing import Final

from btimd.itsm import merge
from btimd.itsm.lifecycle import LIVE
from btimd.itsm.replay import Dossier
from btimd.itsm.timestamp import utc_day
from btimd.model.incident import Incident, IncidentEvent
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict

_PREFIX: Final = "INC"


class IncidentNumbers:
    """Gives ids like INC-20261121-0001. Ids only ever grow, also when the clock is set back."""

    def __init__(self) -> None:
        self._last = ("", 0)

    def seen(self, incident_id: str) -> None:
        """Take note of an id that was given before."""
        prefix, _, rest = incident_id.partition("-")
        day, _, number = rest.partition("-")
        if prefix == _PREFIX and day.isdigit() and number.isdigit():
            self._last = max(self._last, (day, int(number)))

    def next(self, now: UnixSeconds) -> str:
        """Return an id that was never given."""
        day, number = self._last
        today = utc_day(now)
        self._last = (today, 1) if today > day else (day, number + 1)
        return f"{_PREFIX}-{self._last[0]}-{self._last[1]:04d}"


class Register:
    """Live incidents (open or resolved) with their dossiers, as the journal has them.

    Every fingerprint belongs to one live incident; the fingerprints of merged children belong to their parent.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Incident] = {}
        self._dossiers: dict[str, Dossier] = {}
        self._by_fingerprint: dict[str, str] = {}
        self._by_verdict: dict[str, str] = {}
        self._unconfirmed: dict[str, frozenset[str]] = {}

    def restore(self, incident: Incident, events: Iterable[IncidentEvent]) -> None:
        """Take in an incident of an earlier run. What checks saw is unconfirmed until they see it again.

        What mail, other systems or people reported is not: they say it once, and say when it is over.
        """
        dossier = Dossier.of(events)
        self._put(incident, dossier)
        if dossier.symptoms and incident.verdict_id:
            self._unconfirmed[incident.id] = dossier.symptoms

    def record(self, incident: Incident, event: IncidentEvent) -> None:
        """Take over what was just written to the journal."""
        dossier = self._dossiers.get(incident.id, Dossier()).after(event)
        self._put(incident, dossier)

    def _put(self, incident: Incident, dossier: Dossier) -> None:
        if incident.state not in LIVE:
            self._remove(incident.id)
            return
        self._rows[incident.id] = incident
        self._by_fingerprint[incident.fingerprint] = incident.id
        for alias in self._dossiers.get(incident.id, Dossier()).aliases - dossier.aliases:
            if self._by_fingerprint.get(alias) == incident.id:
                del self._by_fingerprint[alias]
        for alias in dossier.aliases:
            self._by_fingerprint[alias] = incident.id
        self._dossiers[incident.id] = dossier
        if incident.verdict_id:
            self._by_verdict[incident.verdict_id] = incident.id

    def _remove(self, incident_id: str) -> None:
        self._rows.pop(incident_id, None)
        self._dossiers.pop(incident_id, None)
        self._unconfirmed.pop(incident_id, None)
        for index in (self._by_fingerprint, self._by_verdict):
            for key in [key for key, owner in index.items() if owner == incident_id]:
                del index[key]

    def hand_over(self, child_id: str, parent_id: str) -> None:
        """Let diagnoses that belonged to a child speak of its parent."""
        for key, owner in self._by_verdict.items():
            if owner == child_id:
                self._by_verdict[key] = parent_id

    def get(self, incident_id: str) -> Incident | None:
        """Return a live incident."""
        return self._rows.get(incident_id)

    def owner_of(self, verdict_id: str) -> str:
        """Return the live incident of a diagnosis, "" where there is none."""
        return self._by_verdict.get(verdict_id, "")

    def owner_of_fingerprint(self, fingerprint: str) -> str:
        """Return the live incident that reports with a fingerprint belong to, "" where there is none."""
        return self._by_fingerprint.get(fingerprint, "")

    def find(self, verdict: Verdict) -> Incident | None:
        """Return the live incident that a verdict speaks of: its diagnosis' own, else the one of the same cause."""
        owner = self._by_verdict.get(verdict.id) or self._by_fingerprint.get(merge.fingerprint(verdict))
        return None if owner is None else self._rows[owner]

    def dossier(self, incident_id: str) -> Dossier:
        """Return what is known beyond the row, empty for an incident that is not live."""
        return self._dossiers.get(incident_id, Dossier())

    def live(self) -> Sequence[Incident]:
        """Return every live incident."""
        return list(self._rows.values())

    def take_unconfirmed(self, incident_id: str) -> frozenset[str]:
        """Return, once, the symptoms of an earlier run that nobody has spoken of since."""
        return self._unconfirmed.pop(incident_id, frozenset())

    @property
    def unconfirmed(self) -> Sequence[str]:
        """The incidents of an earlier run that nobody has reported again."""
        return list(self._unconfirmed)


def sorted_for_work(incidents: Iterable[Incident]) -> list[Incident]:
    """Return incidents in the order people should take them.

    Highest priority first; inside one priority the hardest first, as it takes longest; then the oldest.
    """
    return sorted(incidents, key=lambda one: (one.priority, one.difficulty, one.opened_at, one.id))

"""ProblemWatch: which incidents call for a problem record. Pure, one incident at a time, bounded.

Proposed are a fingerprint or a root node with `threshold` incidents within `window`, and an incident of the highest
priority that ended without a cause. A person decides; what was proposed is not proposed again before it is over.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from btimd.itsm.knowledge import cause_node
from btimd.itsm.knowledgesteps import NAME_LIMIT, TEXT_LIMIT
from btimd.itsm.problems import OpenProblem
from btimd.model.incident import Incident, IncidentState, Priority
from btimd.model.knowledge import SECONDS_PER_DAY, Problem, ProblemOrigin, ProblemState
from btimd.model.units import Seconds, UnixSeconds

SYSTEM: Final = "btimd"
NODE_PREFIX: Final = "node:"
"""Before the key of a problem that different troubles of one node have in common."""


@dataclass(frozen=True, slots=True)
class ProblemRules:
    """When a problem is proposed. key_limit: fingerprints and nodes that are counted; per_key: incidents of each."""

    threshold: int = 3
    window: Seconds = 30 * SECONDS_PER_DAY
    worst: Priority = Priority.P1
    key_limit: int = 10_000
    per_key: int = 50


@dataclass(frozen=True, slots=True)
class Proposal:
    """A problem that should be put on record. open: how to do so. why: what speaks for it, in words."""

    open: OpenProblem
    why: str

    @property
    def key(self) -> str:
        """What its incidents have in common."""
        return self.open.key


@dataclass(slots=True)
class _Seen:
    incidents: dict[str, tuple[UnixSeconds, str]] = field(default_factory=dict)
    """When each was opened and its fingerprint, by id, oldest first."""
    proposed: bool = False


class ProblemWatch:
    """Counts incidents.

    Give every one to `opened`, every dealt-with one to `ended`, what was none to `withdrawn`, and findings that no
    incident has come of yet to `found`.
    """

    def __init__(self, rules: ProblemRules | None = None) -> None:
        self._rules = rules or ProblemRules()
        self._keys: OrderedDict[str, _Seen] = OrderedDict()
        self._on_record: dict[str, str] = {}
        self._forgotten = 0

    @property
    def forgotten(self) -> int:
        """Fingerprints and nodes that were given up to keep within the limit, so that some problem may be missed."""
        return self._forgotten

    def on_record(self, problems: Iterable[Problem]) -> None:
        """Note problems as they are now: what an open one is about is not proposed; a closed one may come again."""
        for problem in problems:
            if not problem.key:
                continue
            if problem.state is not ProblemState.CLOSED:
                self._on_record[problem.key] = problem.id
            elif self._on_record.get(problem.key, problem.id) == problem.id:
                self._on_record.pop(problem.key, None)
                self._over(problem.key)

    def problem_of(self, incident: Incident) -> str:
        """Return the id of the open problem that an incident belongs to by its cause; empty: of none."""
        keys = _keys_of(incident.fingerprint)
        return next((self._on_record[key] for key in keys if key in self._on_record), "")

    def opened(self, incident: Incident) -> Proposal | None:
        """Count a new incident; return the problem to propose because of it."""
        proposal: Proposal | None = None
        for key in _keys_of(incident.fingerprint):
            seen = self._touch(key)
            seen.incidents[incident.id] = (incident.opened_at, incident.fingerprint)
            self._prune(seen, incident.opened_at)
            if seen.proposed or key in self._on_record or len(seen.incidents) < self._rules.threshold:
                continue
            # what the fingerprint tells is not told again of its node
            covered = proposal is not None or self._told_by_fingerprint(key, seen)
            seen.proposed = not covered
            if not covered:
                proposal = self._recurring(key, incident, seen)
        return proposal

    def ended(self, incident: Incident) -> Proposal | None:
        """Return the problem to propose where an incident was dealt with and its cause stayed unknown."""
        unknown = not incident.cause.strip() and not cause_node(incident.fingerprint)
        dealt_with = incident.state in {IncidentState.RESOLVED, IncidentState.CLOSED}
        if not (dealt_with and unknown) or incident.priority > self._rules.worst:
            return None
        key = f"incident:{incident.id}"
        seen = self._touch(key)
        if seen.proposed or key in self._on_record:
            return None
        seen.proposed = True
        priority = f"P{int(incident.priority)}"
        why = f"{incident.id} ({priority}) was dealt with and its cause is not known"
        action = OpenProblem(
            actor=SYSTEM,
            title=f"Unknown cause: {incident.title}"[:NAME_LIMIT],
            description=why,
            origin=ProblemOrigin.UNKNOWN_CAUSE,
            key=key,
            incidents=(incident.id,),
        )
        return Proposal(action, why)

    def found(self, key: str, *, title: str, why: str, node: str = "") -> Proposal | None:
        """Return the problem to propose for what will make incidents: a drift, a forecast, a weak spot, a near miss.

        key: what makes two findings the same ("forecast:ora1/disk"); each is proposed once, and again after its problem
        was closed.
        """
        seen = self._touch(key)
        if seen.proposed or key in self._on_record:
            return None
        seen.proposed = True
        action = OpenProblem(
            actor=SYSTEM,
            title=title[:NAME_LIMIT],
            description=why[:TEXT_LIMIT],
            origin=ProblemOrigin.PROACTIVE,
            key=key,
            node=node,
        )
        return Proposal(action, why)

    def withdrawn(self, incident: Incident) -> None:
        """Stop counting an incident that was none, or is part of another one."""
        for key in _keys_of(incident.fingerprint):
            seen = self._keys.get(key)
            if seen is not None:
                seen.incidents.pop(incident.id, None)

    def _over(self, key: str) -> None:
        """Forget the incidents of a closed problem: it takes as many new ones to speak of a problem again."""
        gone = self._keys.pop(key, _Seen())
        for incident_id, (_, fingerprint) in gone.incidents.items():
            for other in _keys_of(fingerprint):
                if other in self._keys:
                    self._keys[other].incidents.pop(incident_id, None)

    def _touch(self, key: str) -> _Seen:
        seen = self._keys.get(key)
        if seen is None:
            if len(self._keys) >= self._rules.key_limit:
                self._keys.popitem(last=False)
                self._forgotten += 1
            seen = self._keys[key] = _Seen()
        self._keys.move_to_end(key)
        return seen

    def _prune(self, seen: _Seen, now: UnixSeconds) -> None:
        old = [one for one, (at, _) in seen.incidents.items() if at <= now - self._rules.window]
        for one in old:
            del seen.incidents[one]
        while len(seen.incidents) > self._rules.per_key:
            del seen.incidents[next(iter(seen.incidents))]
        if len(seen.incidents) < self._rules.threshold:
            seen.proposed = False  # it was quiet for long enough: a new row of incidents is news

    def _told_by_fingerprint(self, key: str, seen: _Seen) -> bool:
        if not key.startswith(NODE_PREFIX):
            return False
        untold = sum(not self._is_told(fingerprint) for _, fingerprint in seen.incidents.values())
        return untold < self._rules.threshold

    def _is_told(self, fingerprint: str) -> bool:
        entry = self._keys.get(fingerprint)
        return fingerprint in self._on_record or (entry is not None and entry.proposed)

    def _recurring(self, key: str, incident: Incident, seen: _Seen) -> Proposal:
        node = cause_node(incident.fingerprint)
        days = self._rules.window / SECONDS_PER_DAY
        what = f"of {node}" if key.startswith(NODE_PREFIX) else f"with the cause {key}"
        why = f"{len(seen.incidents)} incidents {what} within {days:g} days"
        action = OpenProblem(
            actor=SYSTEM,
            title=f"Recurring: {node if key.startswith(NODE_PREFIX) else incident.title}"[:NAME_LIMIT],
            description=why,
            origin=ProblemOrigin.RECURRING,
            key=key,
            node=node,
            incidents=tuple(seen.incidents),
        )
        return Proposal(action, why)


def key_of(fingerprints: Iterable[str], node: str) -> str:
    """Return what incidents have in common, by which further ones are known to belong to their problem; "" for nothing.

    node: that a person names as the root.
    """
    causes = set(fingerprints)
    nodes = {cause_node(one) for one in causes}
    if len(causes) == 1 and nodes != {""}:
        return causes.pop()
    if len(nodes) == 1 and nodes != {""}:
        return f"{NODE_PREFIX}{nodes.pop()}"
    return f"{NODE_PREFIX}{node}" if node else ""


def _keys_of(fingerprint: str) -> tuple[str, ...]:
    node = cause_node(fingerprint)
    return (fingerprint, f"{NODE_PREFIX}{node}") if node else ()

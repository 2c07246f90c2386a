"""Known: a verdict that stands, until it is verified that its cause is gone."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check
from btimd.model.sign import Sign
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.graph import GraphIndex


@dataclass(slots=True)
class Verification:
    """Whether the cause of a verdict without symptoms is gone: its bad checks are asked again, users must be back.

    waiting: ids of the probes that run now, with their checks. good: checks that are good again. rounds: how often was
    asked.
    """

    next_at: UnixSeconds
    waiting: dict[int, str] = field(default_factory=dict)
    good: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    rounds: int = 0


@dataclass(slots=True)
class Known:
    """A verdict whose trouble is not over.

    recovered_at: since when the cause's own check is good again while symptoms stay. looks_on_at: when the search goes
    on after a weak answer, None where the answer is certain or the search has given up.
    """

    verdict: Verdict
    symptoms: dict[str, Symptom]
    own_error: ErrorClass
    reason: str
    recovered_at: UnixSeconds | None = None
    verification: Verification | None = None
    looks_on_at: UnixSeconds | None = None
    looked_on: int = 0
    users_away: frozenset[str] = frozenset()

    @property
    def is_weak(self) -> bool:
        """Tell whether no certain cause was found."""
        return self.verdict.status is not VerdictStatus.CAUSE_FOUND

    def convicting(self, index: GraphIndex) -> tuple[Check, ...]:
        """Return the checks whose bad answers convicted the cause, as far as they can still be asked."""
        cause = self.verdict.cause
        if cause is None or cause not in index.graph.nodes:
            return ()
        said = {line.check_id for line in self.verdict.evidence if line.node == cause and line.health is Health.BAD}
        return tuple(check for check in index.graph.nodes[cause].checks if check.id in said)

    def next_deadline(self, recheck_seconds: float) -> UnixSeconds | None:
        """Return when something is due for this verdict, None where nothing is."""
        due = [self.looks_on_at] if self.looks_on_at is not None else []
        if self.recovered_at is not None:
            due.append(self.recovered_at + recheck_seconds)
        if self.verification is not None and not self.verification.waiting:
            due.append(self.verification.next_at)
        return min(due, default=None)

    def users_still_away(self, signs: Iterable[Sign], now: UnixSeconds) -> bool:
        """Tell whether users who were lost with this trouble have not been seen served again.

        What is not heard of any more for twice the time that a sign lasts decides nothing.
        """
        lasting = (
            sign
            for sign in signs
            if sign.id in self.users_away and sign.health is Health.BAD and now - sign.at < 2.0 * sign.lasts_seconds
        )
        return any(lasting)

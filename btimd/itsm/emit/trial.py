"""Trials: what is asked of a target to find out whether it is reached and takes our credentials. Nothing changes there.

An adapter may say itself what is harmless there (`trial`); of a ticket system an incident is looked up that nobody has,
which also proves that the search for our ids works.
"""

from dataclasses import dataclass
from typing import Any, Final

from btimd.itsm.emit.exchange import Dialogue, paused
from btimd.itsm.outbox import Outcome, OutcomeKind

TRIAL_KEY: Final = "btimd-trial"
"""The id of an incident that is never there."""


@dataclass(frozen=True, slots=True)
class TrialTold:
    """How a trial that was answered ended. tests_credentials: the target would have refused wrong ones."""

    detail: str
    tests_credentials: bool = True


@dataclass(frozen=True, slots=True)
class TrialResult:
    """How a trial ended. outcome: DELIVERED where it was answered as it should be."""

    outcome: Outcome
    tests_credentials: bool = True

    @property
    def is_reachable(self) -> bool:
        """Tell whether anybody answered."""
        return self.outcome.kind not in {OutcomeKind.NOT_SENT, OutcomeKind.UNCERTAIN}


def trial_of(adapter: Any) -> Dialogue[TrialTold]:
    """Return the harmless question for an adapter."""
    if hasattr(adapter, "trial"):
        told: TrialTold = yield from adapter.trial()
        return told
    found = yield from adapter.find(TRIAL_KEY)
    strangers = [one for one in found if one.key != TRIAL_KEY]
    if strangers:
        raise paused(f"a search for {TRIAL_KEY} also found ticket {strangers[0].id}; make the key field searchable")
    return TrialTold("searching for an incident's id works")

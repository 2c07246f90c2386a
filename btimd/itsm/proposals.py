"""ProposalBook: problems that were proposed and what people decided of them, kept over restarts. Pure, bounded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from btimd.itsm.problemwatch import Proposal
from btimd.model.incident import CommandRefusedError, RefusalCode
from btimd.model.knowledge import SECONDS_PER_DAY
from btimd.model.knowledgework import ProposedProblem
from btimd.model.plain import from_plain, to_plain
from btimd.model.units import Seconds, UnixSeconds

FORMAT: Final = 1
BOOK_LIMIT: Final = 1_000


class Decision(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    TAKEN = "taken"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Entry:
    """A proposal and what was decided. problem_id: of the problem that was opened for it."""

    proposed: ProposedProblem
    decision: Decision = Decision.OPEN
    decided_at: UnixSeconds | None = None
    by: str = ""
    reason: str = ""
    problem_id: str = ""


class ProposalBook:
    """What was decided holds for `keep_seconds`; the same proposal of the same incidents is not made again by then.

    keep_seconds: at least the window in which incidents are counted, so that a restart, which counts them anew, brings
    nothing back. `forgotten` counts open proposals that were given up to keep within the limit.
    """

    def __init__(self, keep_seconds: Seconds = 30 * SECONDS_PER_DAY) -> None:
        self._keep = keep_seconds
        self._entries: dict[str, Entry] = {}
        self.forgotten = 0

    def take(self, proposal: Proposal, now: UnixSeconds, *, again: bool = False) -> bool:
        """Note a proposal; False where it is known and nothing about it is new.

        again: it may be one that was decided, as incidents are counted anew after a start; it is news only with an
        incident that was not there then.
        """
        self._expire(now)
        known = self._entries.get(proposal.key)
        opened = proposal.open
        if known is not None:
            new = set(opened.incidents) - set(known.proposed.incidents)
            if known.decision is Decision.OPEN or (again and not new):
                if known.decision is Decision.OPEN and new:
                    incidents = tuple(dict.fromkeys((*known.proposed.incidents, *opened.incidents)))
                    proposed = replace(known.proposed, incidents=incidents, why=proposal.why)
                    self._entries[proposal.key] = replace(known, proposed=proposed)
                return False
        if len(self._entries) >= BOOK_LIMIT:
            oldest = min(self._entries, key=self._worth)
            self.forgotten += self._entries.pop(oldest).decision is Decision.OPEN
        self._entries[proposal.key] = Entry(
            ProposedProblem(
                key=proposal.key,
                title=opened.title,
                why=proposal.why,
                origin=opened.origin,
                node=opened.node,
                incidents=opened.incidents,
                proposed_at=now,
            )
        )
        return True

    def open(self) -> Sequence[ProposedProblem]:
        """Return what nobody decided yet, the latest first."""
        found = [one.proposed for one in self._entries.values() if one.decision is Decision.OPEN]
        return sorted(found, key=lambda one: (-one.proposed_at, one.key))

    def taken(self, key: str, problem_id: str, now: UnixSeconds, by: str) -> bool:
        """Note that there is a problem on record for a key; False where nothing was proposed."""
        return self._decide(key, now, decision=Decision.TAKEN, by=by, problem_id=problem_id)

    def dismiss(self, key: str, now: UnixSeconds, *, by: str, reason: str) -> ProposedProblem:
        """Note that a proposal is none; raises CommandRefusedError."""
        if not reason.strip():
            raise CommandRefusedError(RefusalCode.INVALID, "no reason was given; write it")
        if not self._decide(key, now, decision=Decision.DISMISSED, by=by, reason=reason.strip()):
            raise CommandRefusedError(
                RefusalCode.NOT_FOUND, f"nothing is proposed under {key[:80]!r}; look at the list"
            )
        return self._entries[key].proposed

    def document(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold."""
        return {"format": FORMAT, "entries": [to_plain(one) for one in self._entries.values()]}

    def restore(self, document: Any) -> None:
        """Take back a document; raises ValueError, KeyError or TypeError for what is none, and keeps what it had."""
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r} is not known here")
        entries = [from_plain(Entry, one) for one in document["entries"]]
        self._entries = {one.proposed.key: one for one in entries}

    def _decide(self, key: str, now: UnixSeconds, **said: Any) -> bool:
        known = self._entries.get(key)
        if known is None or known.decision is not Decision.OPEN:
            return False
        self._entries[key] = replace(known, decided_at=now, **said)
        return True

    def _expire(self, now: UnixSeconds) -> None:
        over = [
            key
            for key, one in self._entries.items()
            if one.decided_at is not None and one.decided_at < now - self._keep
        ]
        for key in over:
            del self._entries[key]

    def _worth(self, key: str) -> tuple[bool, UnixSeconds]:
        """Return what is given up first: what is decided, then the oldest."""
        one = self._entries[key]
        return one.decision is Decision.OPEN, one.proposed.proposed_at

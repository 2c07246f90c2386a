"""Memory: what is known without asking, across diagnoses: last answers of checks, signs, changes, earlier causes."""

from collections.abc import Collection, Iterable
from typing import Final

from btimd.model.probe import Health, ProbeResult
from btimd.model.sign import Sign, SignSource
from btimd.model.units import UnixSeconds
from btimd.rca.graph import GraphIndex
from btimd.rca.suspicion import Suspicion

_MAX_SIGNS: Final = 20_000
_USERS_SEEN_WITHIN_SECONDS: Final = 120.0


class Memory:
    """answers: the last answer of every check by its id. signs: the last sign of every id, the latest last."""

    def __init__(self) -> None:
        self.answers: dict[str, ProbeResult] = {}
        self.signs: dict[str, Sign] = {}
        self.suspicion = Suspicion()

    def restore(self, answers: Iterable[ProbeResult], signs: Iterable[Sign]) -> None:
        """Remember what another memory did."""
        self.answers = {result.spec.check.id: result for result in answers}
        self.signs = {sign.id: sign for sign in signs}

    def answered(self, result: ProbeResult, index: GraphIndex) -> None:
        """Take an answer; one that tells nothing, or less than is known, changes nothing."""
        check_id = result.spec.check.id
        if check_id not in index.checks or result.health is Health.UNKNOWN:
            return
        before = self.answers.get(check_id)
        if before is None or before.started_at <= result.started_at:
            self.answers[check_id] = result

    def signed(self, sign: Sign) -> None:
        """Take a sign; the oldest is forgotten where there are too many."""
        self.signs.pop(sign.id, None)
        self.signs[sign.id] = sign
        if len(self.signs) > _MAX_SIGNS:
            del self.signs[next(iter(self.signs))]

    def keep(self, index: GraphIndex) -> None:
        """Forget what another graph does not know any more."""
        self.answers = {key: found for key, found in self.answers.items() if key in index.checks}
        self.signs = {key: sign for key, sign in self.signs.items() if sign.node in index.graph.nodes}

    def users_are_watched(self, nodes: Collection[str], now: UnixSeconds) -> bool:
        """Tell whether traffic of the users of all these nodes was seen lately."""
        watched = {
            sign.node
            for sign in self.signs.values()
            if sign.source is SignSource.FLOWS and now - sign.at <= _USERS_SEEN_WITHIN_SECONDS
        }
        return watched.issuperset(nodes)

    def users_were_heard(self, node: str, since: UnixSeconds) -> bool:
        """Tell whether traffic of a node's users has been seen that began after a moment."""
        return any(
            sign.node == node and sign.source is SignSource.FLOWS and sign.at >= since for sign in self.signs.values()
        )

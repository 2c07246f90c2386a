"""What a RADIUS accounting server does with a packet: who may send, what is kept, what is answered."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from btimd.flows.persons import Accounted
from btimd.flows.radius import Accounting, RadiusError, build_response, parse_request
from btimd.model.address import Prefix, address_halves
from btimd.model.units import UnixSeconds

MOST_WAITING: Final = 16_384


class RadiusDesk:
    """Answers packets and keeps what they tell until it is taken.

    A packet is answered once it is kept, and only then (RFC 2866 section 2): who gets no answer sends it again. Its
    authenticator is checked first; who does not know the secret learns nothing, not even that somebody listens.
    """

    def __init__(
        self,
        source: str,
        secret: bytes,
        clients: Sequence[Prefix],
        naming: Callable[[str], str],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._source = source
        self._secret = secret
        self._clients = tuple(clients)
        self._naming = naming
        self._most_waiting = most_waiting
        self._waiting: deque[Accounted] = deque()
        self.accepted = 0
        self.times_adjusted = 0
        self.refused: Counter[str] = Counter()
        """Packets without answer by reason, one of radius.REASONS."""

    def answer(self, octets: bytes, sender: str, now: UnixSeconds) -> bytes | None:
        """Return what is sent back, None = nothing."""
        try:
            if not self._may_send(sender):
                raise RadiusError("client")  # noqa: TRY301  counted below like the others
            request = parse_request(octets, self._secret, source=sender, now=now)
            if len(self._waiting) >= self._most_waiting:
                raise RadiusError("room")  # noqa: TRY301  the same
        except RadiusError as error:
            self.refused[error.reason] += 1
            return None
        self.accepted += 1
        self.times_adjusted += request.time_adjusted
        self._waiting.append(Accounted(self._source, named(request.accounting, self._naming)))
        return build_response(request, self._secret)

    def take(self) -> Sequence[Accounted]:
        """Return what has been told since; may be called by another thread than `answer`."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _may_send(self, sender: str) -> bool:
        if not self._clients:
            return True
        try:
            hi, lo = address_halves(sender.partition("%")[0])
        except ValueError:
            return False
        return any(prefix.contains(hi, lo) for prefix in self._clients)


def named(news: Accounting, naming: Callable[[str], str]) -> Accounting:
    """Return news of a session with what is kept of the name."""
    return replace(news, person=naming(news.person)) if news.person else news

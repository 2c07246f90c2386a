"""The pace of a channel: at most so many messages in any minute, so that a robot never has to refuse one."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from btimd.model.units import UnixSeconds

_MINUTE: Final = 60.0


@dataclass(slots=True)
class Pace:
    """Counts sendings of the last minute. A clock that is set back starts the minute anew."""

    per_minute: int
    _sent: deque[UnixSeconds] = field(default_factory=deque)

    def free_at(self, now: UnixSeconds) -> UnixSeconds:
        """Return when the next message may go, `now` = at once."""
        while self._sent and not now - _MINUTE < self._sent[0] <= now:
            self._sent.popleft()
        return now if len(self._sent) < self.per_minute else self._sent[0] + _MINUTE

    def sent(self, now: UnixSeconds) -> None:
        """Count one."""
        self._sent.append(now)
        while len(self._sent) > self.per_minute:
            self._sent.popleft()

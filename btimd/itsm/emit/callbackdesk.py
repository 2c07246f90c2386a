"""Calls of other systems to POST /callbacks/NAME: checked, put into the inbox, answered only when they are durable."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from btimd.itsm.emit.callbacks import BODY_LIMIT, READERS, CallbackError
from btimd.itsm.emit.inbox import Inbox
from btimd.itsm.emit.signing import SignatureError, key_of
from btimd.model.delivery import CallbackRefusal, CallbackRefusedError
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret

_WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Callback:
    """What calls of a target look like. form: one of callbacks.READERS; secret_files: any of them may sign."""

    form: str
    secret_files: Sequence[Path]
    meanings: Mapping[str, str]
    own_users: frozenset[str]


@dataclass(frozen=True, slots=True)
class _From:
    name: str
    meanings: Mapping[str, str]
    own_users: frozenset[str]


@dataclass(slots=True)
class _Known:
    callback: Callback
    source: _From
    keys: tuple[bytes, ...] = field(default=(), repr=False)


class CallbackDesk:
    """Takes calls. callbacks: by name of the target."""

    def __init__(
        self, callbacks: Mapping[str, Callback], *, inbox: Inbox, metrics: Metrics, clock: Clock, log: Log
    ) -> None:
        self._known = {name: _Known(one, _From(name, one.meanings, one.own_users)) for name, one in callbacks.items()}
        self._inbox = inbox
        self._clock = clock
        self._log = log
        self._calls = metrics.counter(
            "btimd_itsm_callbacks_total", "Calls of other systems, by what became of them", ("target", "outcome")
        )

    @property
    def names(self) -> frozenset[str]:
        """The targets whose calls are taken."""
        return frozenset(self._known)

    def start(self) -> None:
        """Read the secrets; raises ValueError that says which file is wrong."""
        for name, known in self._known.items():
            keys = []
            for path in known.callback.secret_files:
                try:
                    secret = read_secret(path)
                    keys.append(key_of(secret) if known.callback.form == "generic" else secret)
                except ValueError as error:
                    raise ValueError(f"itsm: callback_secret_files of {name}: {path}: {error}") from None
            known.keys = tuple(keys)

    async def take(self, name: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take a call; return how many changes in it were new. What it returned for survives the process.

        headers: names in lower case. Raises CallbackRefusedError.
        """
        known = self._known.get(name)
        if known is None or not known.keys:
            self._calls.labels("unknown", CallbackRefusal.UNKNOWN_TARGET.value).inc()
            raise CallbackRefusedError(CallbackRefusal.UNKNOWN_TARGET, "no target of that name takes calls")
        try:
            taken = await self._take(known, headers, body)
        except CallbackRefusedError as refusal:
            self._calls.labels(name, refusal.why.value).inc()
            raise
        self._calls.labels(name, "taken").inc()
        return taken

    async def _take(self, known: _Known, headers: Mapping[str, str], body: bytes) -> int:
        if len(body) > BODY_LIMIT:
            raise CallbackRefusedError(CallbackRefusal.TOO_LARGE, f"{BODY_LIMIT} octets at most")
        try:
            changes = READERS[known.callback.form](known.keys, headers, body, self._clock.wall())
        except SignatureError as error:
            raise CallbackRefusedError(CallbackRefusal.NOT_SIGNED, str(error)) from None
        except CallbackError as error:
            raise CallbackRefusedError(CallbackRefusal.NOT_UNDERSTOOD, str(error)) from None
        taken = 0
        try:
            async with asyncio.timeout(_WITHIN):
                for change in changes:
                    taken += await self._inbox.take(known.source, change)
        except Exception as error:
            # Whatever it was, the sender must come again: what was taken already is known by its id then.
            self._log.warning("callback-not-kept", target=known.source.name, error=type(error).__name__)
            raise CallbackRefusedError(CallbackRefusal.BUSY, "it could not be kept; send it again later") from error
        return taken

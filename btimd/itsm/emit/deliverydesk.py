"""Delivery as people see and change it: targets, dead letters, what is owed of an incident, and who did what."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from typing_extensions import override

from btimd.itsm.emit.cloudevents import BODY_LIMIT
from btimd.itsm.emit.courier import Courier, LaneState, Target
from btimd.itsm.emit.exchange import HaltError
from btimd.itsm.emit.facts import facts_of
from btimd.itsm.emit.targets import TIERS
from btimd.itsm.emit.trial import TrialResult
from btimd.itsm.outbox import OutcomeKind
from btimd.model.delivery import (
    Credentials,
    DeliveryAction,
    DeliveryActionKind,
    DeliveryStore,
    DeliveryTarget,
    DeliveryView,
    ExternalReference,
    OutboxEntry,
    OutboxLine,
    TargetState,
    TargetTrial,
)
from btimd.model.ports import Journal
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log

_NOTHING: Final = OutboxLine("", 0, 0, 0, None)


class DeliveryDesk(DeliveryView):
    """kinds: (kind, name) of every target. two_way: of each, whether its calls are taken and whether it is asked."""

    def __init__(
        self,
        *,
        courier: Courier,
        targets: Sequence[Target],
        kinds: Sequence[tuple[str, str]],
        two_way: Mapping[str, tuple[bool, bool]],
        journal: Journal,
        store: DeliveryStore,
        clock: Clock,
        log: Log,
    ) -> None:
        self._courier = courier
        self._targets = {target.name: target for target in targets}
        self._kinds = {name: kind for kind, name in kinds}
        self._two_way = two_way
        self._journal = journal
        self._store = store
        self._clock = clock
        self._log = log
        self._trials: dict[str, asyncio.Lock] = {}

    async def start(self) -> None:
        """Hold what people have paused; call it before the courier runs."""
        for name, action in (await self._store.holds()).items():
            if name in self._targets:
                self._courier.hold(name, _why(action))
        self._courier.succeeded_before(await self._store.last_successes())

    @override
    async def targets(self) -> Sequence[DeliveryTarget]:
        lines = {line.target: line for line in await self._journal.outbox_lines()}
        holds = await self._store.holds()
        states = sorted(self._courier.states(), key=lambda state: state.name)
        return [self._shown(state, lines.get(state.name, _NOTHING), holds.get(state.name)) for state in states]

    def _shown(self, state: LaneState, line: OutboxLine, hold: DeliveryAction | None) -> DeliveryTarget:
        kind = self._kinds[state.name]
        tier, proven_against = TIERS[kind]
        now, reason = TargetState.HEALTHY, ""
        if hold is not None:
            now, reason = TargetState.PAUSED, hold.reason
        elif state.breaker.is_open:
            now = TargetState.REFUSES if state.breaker.paused else TargetState.HELD_BACK
            reason = state.breaker.reason
        takes_callbacks, is_asked = self._two_way.get(state.name, (False, False))
        return DeliveryTarget(
            name=state.name,
            kind=kind,
            tier=tier,
            proven_against=proven_against,
            state=now,
            reason=reason,
            paused_by="" if hold is None else hold.actor,
            paused_at=None if hold is None else hold.at,
            pending=line.pending,
            in_flight=line.in_flight,
            dead=line.dead,
            oldest_at=line.oldest_at,
            last_success_at=state.last_success_at,
            last_error=state.last_error,
            last_error_at=state.last_error_at,
            takes_callbacks=takes_callbacks,
            is_asked=is_asked,
        )

    @override
    async def try_target(self, name: str) -> TargetTrial:
        target: Any = self._targets[name]
        async with self._trials.setdefault(name, asyncio.Lock()):  # one at a time, whoever asks
            began = self._clock.monotonic()
            try:
                result: TrialResult = await target.try_out()
            except HaltError as halt:
                result = TrialResult(halt.outcome)
            return TargetTrial(
                target=name,
                at=self._clock.wall(),
                is_reachable=result.is_reachable,
                credentials=_credentials(result),
                detail=result.outcome.detail,
                took_seconds=self._clock.monotonic() - began,
            )

    @override
    async def pause(self, name: str, *, actor: str, reason: str, command_id: str) -> DeliveryTarget:
        await self._act(DeliveryActionKind.PAUSE, name, actor=actor, reason=reason, command_id=command_id)
        hold = (await self._store.holds()).get(name)
        if hold is not None:  # a repeat of an old command does not undo a newer one
            self._courier.hold(name, _why(hold))
        return await self._target(name)

    @override
    async def resume(self, name: str, *, actor: str, reason: str, command_id: str) -> DeliveryTarget:
        await self._act(DeliveryActionKind.RESUME, name, actor=actor, reason=reason, command_id=command_id)
        if name not in await self._store.holds():  # as above
            self._courier.release(name)
        return await self._target(name)

    async def _act(
        self, kind: DeliveryActionKind, name: str, *, actor: str, reason: str, command_id: str
    ) -> DeliveryAction:
        if name not in self._targets:
            raise KeyError(name)
        action = DeliveryAction(self._clock.wall(), actor, kind, name, "", "", reason, command_id)
        done = await self._store.act(action)
        self._log.warning("delivery-changed", target=name, action=kind.value, actor=actor, reason=reason)
        return done

    async def _target(self, name: str) -> DeliveryTarget:
        return next(one for one in await self.targets() if one.name == name)

    @override
    async def dead_letters(self, target: str | None, limit: int) -> Sequence[OutboxEntry]:
        return await self._store.dead_letters(target, limit)

    @override
    async def letter(self, message_id: str) -> OutboxEntry:
        return await self._store.letter(message_id)

    @override
    async def edit(self, message_id: str, body: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        letter = await self._store.letter(message_id)
        octets = body.encode("utf-8", "replace")
        if len(octets) > BODY_LIMIT:
            raise ValueError(f"the body has {len(octets)} octets; {BODY_LIMIT} at most")
        try:
            facts = facts_of(octets)
        except HaltError as halt:
            raise ValueError(f"the body is no event of an incident: {halt}") from None
        if (facts.incident_id, facts.seq) != (letter.incident_id, letter.seq):
            raise ValueError(
                f"the body tells of {facts.incident_id}.{facts.seq}; it must stay {letter.incident_id}.{letter.seq}"
            )
        return await self._change(DeliveryActionKind.EDIT, letter, (actor, reason, command_id), octets)

    @override
    async def resend(self, message_id: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        letter = await self._store.letter(message_id)
        if letter.target not in self._targets:
            raise ValueError(f"{letter.target} is no longer configured; drop the letter")
        found = await self._change(DeliveryActionKind.RESEND, letter, (actor, reason, command_id))
        self._courier.wake()
        return found

    @override
    async def drop(self, message_id: str, *, actor: str, reason: str, command_id: str) -> OutboxEntry:
        letter = await self._store.letter(message_id)
        return await self._change(DeliveryActionKind.DROP, letter, (actor, reason, command_id))

    async def _change(
        self, kind: DeliveryActionKind, letter: OutboxEntry, said: tuple[str, str, str], body: bytes = b""
    ) -> OutboxEntry:
        actor, reason, command_id = said
        now = self._clock.wall()
        action = DeliveryAction(now, actor, kind, letter.target, letter.id, letter.incident_id, reason, command_id)
        await self._store.act(action, body)
        self._log.warning("dead-letter-changed", message=letter.id, action=kind.value, actor=actor, reason=reason)
        return await self._store.letter(letter.id)

    @override
    async def outbox(self, incident_id: str, limit: int) -> Sequence[OutboxEntry]:
        return await self._store.of_incident(incident_id, limit)

    @override
    async def references(self, incident_id: str) -> Sequence[ExternalReference]:
        return await self._store.references(incident_id)

    @override
    async def actions(self, target: str | None, incident_id: str | None, limit: int) -> Sequence[DeliveryAction]:
        return await self._store.log(target, incident_id, limit)


def _why(action: DeliveryAction) -> str:
    return f"{action.reason} ({action.actor})"


def _credentials(result: TrialResult) -> Credentials:
    if result.outcome.kind is OutcomeKind.PAUSED:
        return Credentials.REFUSED
    if result.outcome.kind is OutcomeKind.DELIVERED and result.tests_credentials:
        return Credentials.ACCEPTED
    return Credentials.NOT_TESTED

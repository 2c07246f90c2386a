"""Asks hosts by SNMP for checks: those of one agent that are asked at the same time go through one session.

What several of them want is asked once, in few requests, one at a time and paced. An agent's answers are judged by the
questions themselves (hostmibs*); what its silence means too.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.hostmibs import HostErrand, Question, Reading
from btimd.probes.limits import cannot_say
from btimd.probes.pollschedule import Pace
from btimd.probes.snmp import SnmpClient, Traffic
from btimd.probes.snmpsession import (
    NoAnswer,
    Oid,
    Readings,
    Rejected,
    Scalars,
    Session,
    SessionLimits,
    Step,
    Table,
)
from btimd.probes.snmptargets import SHORTEST_PASS_PHRASE, Community, Target, User
from btimd.probes.snmpwording import failure_text
from btimd.probes.transport import SystemResolver
from btimd.probes.wire.dialogue import Outcome, Resolved, Unresolved, is_address, join_host_port, printable
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.metrics import Metrics

_TOGETHER_SECONDS: Final = 0.01
_BETWEEN_SECONDS: Final = 1.0
_SPARE_SECONDS: Final = 0.1
_REMEMBERED_SECONDS: Final = 600.0
_MOST_REMEMBERED: Final = 10_000
_MOST_AGENTS: Final = 1_000
_REQUESTS_PER_SECOND: Final = 50.0
_LONGEST_TRY_SECONDS: Final = 2.0
_SHORTEST_TRY_SECONDS: Final = 0.2
_TRIES: Final = 2
_SCALARS_AT_ONCE: Final = 24
_Key: TypeAlias = tuple[str, int, Community | User]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A check that waits for its agent. first: what was read of it a while ago, where it wants two readings."""

    question: Question
    about: str
    deadline: MonotonicSeconds
    answer: "asyncio.Future[Outcome]"
    first: Reading | None = None


@dataclass(slots=True, eq=False)
class _Agent:
    """An agent, with all that wait for it."""

    target: Target
    pace: Pace
    pending: list[_Waiting] = field(default_factory=list)
    later: list[_Waiting] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    @property
    def is_idle(self) -> bool:
        return not self.pending and not self.later and self.task is None


class SnmpChecks:
    """Runs HostErrands (errands.Runner). devices: the targets of the tables [probes.snmp.NAME]."""

    def __init__(self, devices: Sequence[Target], *, clock: Clock, metrics: Metrics) -> None:
        self._devices = {target.name: target for target in devices}
        self._clock = clock
        self._client: SnmpClient | None = None
        self._resolver = SystemResolver()
        self._agents: dict[_Key, _Agent] = {}
        self._memory: dict[tuple[_Key, Question], Reading] = {}
        self._requests = metrics.counter("btimd_probes_snmp_check_requests_total", "SNMP requests sent for checks")
        self._sessions = metrics.counter("btimd_probes_snmp_check_sessions_total", "Sessions with agents for checks")
        self._answered = metrics.counter("btimd_probes_snmp_checks_total", "Checks answered by those sessions")

    def swap(self, devices: Sequence[Target]) -> None:
        """Use other tables of devices from now on."""
        self._devices = {target.name: target for target in devices}

    async def close(self) -> None:
        """Break off what runs and close the sockets."""
        tasks = [agent.task for agent in self._agents.values() if agent.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._agents.clear()
        if self._client is not None:
            self._client.close()
            self._client = None
            await asyncio.sleep(0)  # the library's timer takes its end

    async def run(self, errand: HostErrand, within_seconds: Seconds) -> Outcome:
        """Ask a host's agent; return what it says, in time."""
        deadline = self._clock.monotonic() + within_seconds
        target = await self._target(errand, within_seconds)
        if isinstance(target, Outcome):
            return target
        agent = self._agent(target)
        waiting = _Waiting(
            errand.question, _about(errand, target), deadline, asyncio.get_running_loop().create_future()
        )
        known = Traffic() if self._client is None else self._client.traffic(target)
        heard, sent = known.answers, known.requests
        agent.pending.append(waiting)
        self._wake(agent)
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock.monotonic())):
                outcome = await waiting.answer
        except TimeoutError:
            traffic = Traffic() if self._client is None else self._client.traffic(target)
            if traffic.answers == heard:
                asked = max(1, traffic.requests - sent)
                text = failure_text(target, NoAnswer(), requests=asked, answers=0)
            else:
                text = (
                    f"{waiting.about} did not tell all that was asked in {within_seconds:g} s; give the check more time"
                )
            outcome = _silence(errand.question, text)
        finally:
            self._leave(agent, waiting)
        self._answered.inc()
        return outcome

    async def _target(self, errand: HostErrand, within_seconds: Seconds) -> Target | Outcome:
        """Return whom to ask and how, or why that cannot be told."""
        if errand.device:
            found = self._devices.get(errand.device)
            if found is None:
                return cannot_say(f"there is no table [probes.snmp.{errand.device}]; write it, or correct device")
            return found
        address = errand.host
        if not is_address(address):
            try:
                async with asyncio.timeout(within_seconds):
                    event = await self._resolver.resolve(address)
            except TimeoutError:
                return cannot_say(f"the system's resolver gave no answer for {address}", ErrorClass.NAME_ERROR)
            if not isinstance(event, Resolved):
                why = event.reason if isinstance(event, Unresolved) else "it fails"
                return cannot_say(f"the system's resolver does not know {address}: {why}", ErrorClass.NAME_ERROR)
            address = event.addresses[0]
        access = errand.access
        for key in (access.auth_key, access.priv_key):
            if key and len(key) < SHORTEST_PASS_PHRASE:
                return cannot_say(f"a pass phrase of {access.user} has fewer than {SHORTEST_PASS_PHRASE} characters")
        credentials: Community | User
        if access.version == "3":
            credentials = User(
                access.user,
                access.auth,
                access.auth_key.encode(),
                access.priv,
                access.priv_key.encode(),
                access.context,
            )
        else:
            credentials = Community(access.community.encode(), access.version)
        tries = min(_LONGEST_TRY_SECONDS, max(_SHORTEST_TRY_SECONDS, round(within_seconds / (_TRIES + 0.5), 1)))
        return Target(
            "", address, credentials, errand.port, timeout=tries, retries=1, requests_per_second=_REQUESTS_PER_SECOND
        )

    def _agent(self, target: Target) -> _Agent:
        key = _key(target)
        agent = self._agents.pop(key, None)
        if agent is None:
            agent = _Agent(target, Pace(target.requests_per_second))
            for old, other in list(self._agents.items())[: max(0, len(self._agents) - _MOST_AGENTS)]:
                if other.is_idle:
                    del self._agents[old]
                    if self._client is not None:
                        self._client.forget(other.target)
        elif agent.target != target and agent.is_idle:  # other patience, or a table that was changed
            if self._client is not None:
                self._client.forget(agent.target)
            agent.target, agent.pace = target, Pace(target.requests_per_second)
        self._agents[key] = agent  # the one asked last stands last
        return agent

    def _wake(self, agent: _Agent) -> None:
        if agent.task is None:
            agent.task = asyncio.get_running_loop().create_task(self._serve(agent), name=f"snmp {agent.target.who}")

    def _leave(self, agent: _Agent, waiting: _Waiting) -> None:
        """Forget one that waits no more; what nobody waits for is broken off."""
        if not waiting.answer.done():
            waiting.answer.cancel()
        for waiters in (agent.pending, agent.later):
            if waiting in waiters:
                waiters.remove(waiting)

    async def _serve(self, agent: _Agent) -> None:
        """Answer all that wait for an agent, those of the same moment together."""
        await asyncio.sleep(_TOGETHER_SECONDS)
        try:
            while agent.pending:
                batch, agent.pending = agent.pending, []
                try:
                    await self._answer(agent, [one for one in batch if not one.answer.done()])
                except Exception as error:  # noqa: BLE001  a bug costs those that were asked together, each its runner
                    for one in batch:
                        if not one.answer.done() and one not in agent.later:
                            one.answer.set_exception(error)
        finally:
            agent.task = None

    async def _answer(self, agent: _Agent, batch: list[_Waiting]) -> None:
        if not batch:
            return
        target, client = agent.target, self._client
        if client is None:
            client = self._client = SnmpClient()
        traffic = client.traffic(target)
        heard, sent = traffic.answers, traffic.requests
        self._sessions.inc()
        first = [step for one in batch for step in _first_steps(one)]
        session = await self._ask(agent, client, first, batch)
        readings = session.readings
        if session.failure is None:
            more = [step for one in batch if one.first is None for step in one.question.follow_up(readings)]
            if more:
                following = await self._ask(agent, client, more, batch)
                session.failure = following.failure
                readings = _joined(readings, following.readings)
        self._requests.inc(traffic.requests - sent)
        if session.failure is not None:
            for one in batch:
                _tell(one, _failed(one, target, session.failure, traffic, heard, sent))
            return
        now = self._clock.monotonic()
        for one in batch:
            self._judge(agent, one, readings, now)

    def _judge(self, agent: _Agent, one: _Waiting, readings: Readings, now: MonotonicSeconds) -> None:
        """Give one its answer, or have its agent asked again a while later."""
        reading = Reading(now, readings if one.first is None else _joined(one.first.readings, readings))
        before, question = one.first, one.question
        if question.wants_two(reading):
            key = (_key(agent.target), question)
            if before is None:
                before = self._memory.get(key)
                if before is not None and not _BETWEEN_SECONDS <= now - before.at <= _REMEMBERED_SECONDS:
                    before = None
            if before is None and now + _BETWEEN_SECONDS + _SPARE_SECONDS < one.deadline:
                one.first = reading
                agent.later.append(one)
                asyncio.get_running_loop().call_later(_BETWEEN_SECONDS, self._again, agent, one)
                return
            self._memory.pop(key, None)
            self._memory[key] = reading
            while len(self._memory) > _MOST_REMEMBERED:
                del self._memory[next(iter(self._memory))]
        _tell(one, question.judge(reading, before, one.about))

    def _again(self, agent: _Agent, one: _Waiting) -> None:
        if one in agent.later:
            agent.later.remove(one)
            agent.pending.append(one)
            self._wake(agent)

    async def _ask(
        self, agent: _Agent, client: SnmpClient, steps: Iterable[Step], batch: Sequence[_Waiting]
    ) -> Session:
        """Go through one session, request by request, while anybody waits for it."""
        now = self._clock.monotonic()
        until = max(one.deadline for one in batch)
        limits = SessionLimits(retries=agent.target.retries, within_seconds=max(0.0, until - now))
        session = Session(merged(steps), limits, now)
        while (request := session.next(self._clock.monotonic())) is not None:
            await asyncio.sleep(agent.pace.take(self._clock.monotonic()))
            if all(one.answer.done() for one in batch):
                break
            session.take(await client.ask(agent.target, request), wall_milliseconds(self._clock))
        return session


def _first_steps(one: _Waiting) -> tuple[Step, ...]:
    if one.first is None:
        return one.question.steps()
    return one.question.follow_up(one.first.readings) or one.question.steps()


def merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return steps that ask for the same and nothing twice: scalars together, columns of a table side by side."""
    scalars: dict[Oid, None] = {}
    tables: dict[Oid, Table] = {}
    for step in steps:
        if isinstance(step, Scalars):
            scalars.update(dict.fromkeys(step.oids))
            continue
        known = tables.get(step.entry)
        columns = dict.fromkeys((*(known.columns if known is not None else ()), *step.columns))
        most = max(step.max_rows, known.max_rows if known is not None else 0)
        tables[step.entry] = Table(known.name if known is not None else step.name, step.entry, tuple(columns), most)
    oids = tuple(scalars)
    chunks = [oids[at : at + _SCALARS_AT_ONCE] for at in range(0, len(oids), _SCALARS_AT_ONCE)]
    return (*(Scalars("objects", chunk) for chunk in chunks), *tables.values())


def _joined(old: Readings, new: Readings) -> Readings:
    """Return what both have read, the newer where both did."""
    return Readings(
        scalars={**old.scalars, **new.scalars},
        columns={**old.columns, **new.columns},
        partial=[*old.partial, *new.partial],
        unfinished=old.unfinished | new.unfinished,
    )


def _tell(one: _Waiting, outcome: Outcome) -> None:
    if not one.answer.done():
        one.answer.set_result(outcome)


def _failed(
    one: _Waiting, target: Target, failure: NoAnswer | Rejected, traffic: Traffic, heard: int, sent: int
) -> Outcome:
    text = failure_text(target, failure, requests=traffic.requests - sent, answers=traffic.answers - heard)
    if isinstance(failure, Rejected):
        return cannot_say(text)
    return _silence(one.question, text)


def _silence(question: Question, text: str) -> Outcome:
    """Say what an agent's silence means: nothing of the host, unless the agent itself is what is asked for."""
    if question.silence_is_bad:
        return Outcome(Health.BAD, ErrorClass.TIMEOUT, printable(text))
    return cannot_say(text, ErrorClass.TIMEOUT)


def _about(errand: HostErrand, target: Target) -> str:
    return errand.device or join_host_port(errand.host, 0 if target.port == errand.port else target.port)


def _key(target: Target) -> _Key:
    return target.address, target.port, target.credentials

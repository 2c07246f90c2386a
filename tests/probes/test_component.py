"""The component on real sockets and the real clock: what waits, waits for an event and not for time."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from btimd.model.budget import BudgetScope
from btimd.model.ports import Prober
from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import Check, CheckKind, Node, NodeKind, ServiceGraph
from btimd.model.symptom import Symptom
from btimd.probes.budget import Answer
from btimd.probes.component import Probes
from btimd.probes.settings import ProbeSettings
from btimd.runtime.clock import SystemClock
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes import servers
from tests.probes.samples import check, graph, result


@dataclass
class Harness:
    """A running component and all that it said."""

    probes: Probes
    metrics: Metrics
    symptoms: list[Symptom] = field(default_factory=list)
    cleared: list[Symptom] = field(default_factory=list)
    results: list[ProbeResult] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, holds: Callable[[], bool], within_seconds: float = PATIENCE_SECONDS) -> None:
        async with asyncio.timeout(within_seconds):
            while not holds():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):  # gauges change without telling
                    await asyncio.wait_for(self.changed.wait(), 0.01)

    def submit_all(self, checks: list[Check]) -> list[ProbeResult]:
        """Submit checks as specs 0, 1, ...; return the list their results will come into."""
        answers: list[ProbeResult] = []

        def done(answer: ProbeResult) -> None:
            answers.append(answer)
            self.changed.set()

        for number, of in enumerate(checks):
            self.probes.submit(ProbeSpec(number, of), done)
        return answers


def built(of: ServiceGraph, **settings: float) -> Harness:
    metrics = Metrics()

    def note(kind: str) -> Callable[[object], None]:
        def take(thing: object) -> None:
            getattr(harness, kind).append(thing)
            harness.changed.set()

        return take

    probes = Probes(
        settings=ProbeSettings.model_validate(settings),
        graph=of,
        metrics=metrics,
        clock=SystemClock(),
        log=Log("probes"),
        on_symptom=note("symptoms"),
        on_clear=note("cleared"),
        on_result=note("results"),
    )
    harness = Harness(probes, metrics)
    return harness


@contextlib.asynccontextmanager
async def running(of: ServiceGraph | None = None, **settings: float) -> AsyncIterator[Harness]:
    harness = built(of or graph(), **settings)
    await harness.probes.start()
    task = asyncio.create_task(harness.probes.run())
    try:
        yield harness
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await harness.probes.stop()
        await harness.probes.stop()
        assert harness.metrics.value("btimd_probes_in_flight") == 0


class Counting:
    """A handler that counts connections and answers HTTP."""

    def __init__(self) -> None:
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await servers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(reader, writer)


async def test_a_question_is_answered_counted_and_passed_on() -> None:
    async with servers.tcp_server(Counting()) as port, running() as harness:
        of = check(kind=CheckKind.HTTP, port=port)
        answer = await harness.probes.ask(of, "somebody wants to know")
        assert (answer.health, answer.spec.check, answer.spec.why) == (Health.GOOD, of, "somebody wants to know")
        assert harness.results == [answer]
        assert harness.metrics.value("btimd_probes_results_total", {"kind": "http", "health": "good"}) == 1
        assert harness.metrics.value("btimd_probes_cost_total", {"kind": "http"}) == 1
        assert harness.metrics.value("btimd_probes_elapsed_seconds_count") == 1


def test_it_is_what_the_daemon_and_the_diagnosis_expect() -> None:
    component: Component = built(graph()).probes
    prober: Prober = built(graph()).probes
    assert (component.name, component.health()) == ("probes", ComponentHealth())
    assert callable(prober.submit)


async def test_an_outage_is_a_symptom_and_its_end_clears_it() -> None:
    port = free_port()
    watched = check("db1-sql", CheckKind.TCP, port=port, every=0.1)
    async with running(graph(watched), confirm_after=0.02) as harness:
        await harness.until(lambda: bool(harness.symptoms))
        (symptom,) = harness.symptoms
        assert (symptom.check_id, symptom.node, symptom.error) == ("db1-sql", "node", ErrorClass.REFUSED)
        assert symptom.text == f"db1-sql: 127.0.0.1:{port} refuses: the host answers, nobody listens there"
        assert symptom.since < symptom.seen_at
        assert len(harness.results) == 2, "the sample and its confirmation, each asked of the network"
        assert harness.probes.open_symptoms() == [symptom]
        assert harness.metrics.value("btimd_probes_symptoms_total") == 1
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", port))
            listening.listen()
            await harness.until(lambda: bool(harness.cleared))
        assert harness.cleared == [symptom]
        assert len(harness.symptoms) == 1


async def test_a_question_that_is_being_asked_is_asked_once() -> None:
    counting = Counting()
    async with servers.tcp_server(counting) as port, running() as harness:
        of = check(kind=CheckKind.HTTP, port=port)
        answers = harness.submit_all([of, of, check("other id", CheckKind.HTTP, port=port)])
        await harness.until(lambda: len(answers) == 3)
        assert sorted(answer.spec.id for answer in answers) == [0, 1, 2]
        assert {answer.spec.check.id for answer in answers} == {"web", "other id"}
        assert counting.connections == 1
        again = await harness.probes.ask(of, "a moment later")
        assert again.started_at == answers[0].started_at
        assert counting.connections == 1
        assert harness.metrics.value("btimd_probes_shared_total") == 3
        assert len(harness.results) == 1


async def test_an_answer_from_before_the_trouble_began_is_not_given_to_a_diagnosis() -> None:
    counting, refused = Counting(), free_port()
    async with servers.tcp_server(counting) as port, running(share_within=60.0) as harness:
        of = check(kind=CheckKind.HTTP, port=port)
        await harness.probes.ask(of, "all is well")
        down = check("db1-sql", CheckKind.TCP, port=refused, every=30.0)
        harness.probes.swap(graph(down))  # a new indicator is sampled soon
        await harness.until(lambda: any(one.health is Health.BAD for one in harness.results))
        await harness.probes.ask(of, "what is wrong?")

        assert counting.connections == 2


async def test_an_old_answer_is_never_given_again() -> None:
    counting = Counting()
    async with servers.tcp_server(counting) as port, running(share_within=0.0) as harness:
        for _ in range(2):
            await harness.probes.ask(check(kind=CheckKind.HTTP, port=port), "")
        assert counting.connections == 2
        assert harness.metrics.value("btimd_probes_shared_total") == 0


async def test_a_probe_that_has_been_running_too_long_is_not_joined() -> None:
    async with servers.tcp_server(servers.silent) as port, running() as harness:
        of = check(kind=CheckKind.HTTP, port=port, timeout=0.3)
        first = harness.submit_all([of])
        await harness.until(lambda: harness.metrics.value("btimd_probes_in_flight") == 1)
        (job,) = harness.probes._running.values()
        assert job.began_at is not None
        job.began_at -= 5.0
        answers = harness.submit_all([of])
        await harness.until(lambda: len(answers) == 1)
        assert len(first) == 1
        assert len(harness.results) == 2


async def test_what_the_budget_does_not_allow_in_time_is_unknown_at_once() -> None:
    async with servers.tcp_server(Counting()) as port, running(light_burst=1, light_per_second=0.01) as harness:
        answers = harness.submit_all([check("a", port=port), check("b", kind=CheckKind.HTTP, port=port)])
        await harness.until(lambda: len(answers) == 2)
    refused = next(answer for answer in answers if answer.health is Health.UNKNOWN)
    assert refused.error is ErrorClass.OVER_BUDGET
    assert refused.detail == "127.0.0.1 was asked 0.01 times a second (probes.light_per_second)"
    assert harness.metrics.value("btimd_probes_over_budget_total") == 1


async def test_a_slot_that_does_not_come_free_in_time_is_over_budget_too() -> None:
    async with servers.tcp_server(servers.silent) as port, running(concurrent=1) as harness:
        hanging = check("hanging", CheckKind.HTTP, port=port, timeout=5.0)
        answers = harness.submit_all([hanging, check("b", port=port, timeout=0.05)])
        await harness.until(lambda: len(answers) == 1)
        assert (answers[0].spec.id, answers[0].error) == (1, ErrorClass.OVER_BUDGET)
        assert answers[0].detail == "1 probes are running (probes.concurrent)"


async def test_waits_refusals_and_octets_are_counted_by_what_held_them_back() -> None:
    async with (
        servers.tcp_server(Counting()) as port,
        running(light_burst=1, light_per_second=0.01) as harness,
    ):
        answers = harness.submit_all([check("a", port=port), check("b", kind=CheckKind.HTTP, port=port)])
        await harness.until(lambda: len(answers) == 2)
        host_rate = {"scope": "host", "reason": "rate"}
        assert harness.metrics.value("btimd_probes_budget_waits_total", host_rate) == 1
        assert harness.metrics.value("btimd_probes_budget_refusals_total", host_rate) == 1
        assert harness.metrics.value("btimd_probes_octets_total", {"kind": "tcp"}) == 364, "seven segments"
        (host,) = harness.probes.budget(BudgetScope.HOST, "", 5).rows
        assert (host.probes, host.diagnosis, host.waits, host.refused, host.octets) == (1, 1, 1, 1, 364)
        assert harness.probes.room(check(port=port)) < 0.01
        assert harness.metrics.value("btimd_probes_budget_scopes") == 3


async def test_signs_of_overload_are_counted() -> None:
    async with servers.tcp_server(servers.silent) as port, running(back_off_after=1) as harness:
        await harness.probes.ask(check(kind=CheckKind.HTTP, port=port, timeout=0.05), "")
        assert harness.metrics.value("btimd_probes_budget_back_offs_total") == 1
        (server,) = harness.probes.budget(BudgetScope.SERVER, str(port), 5).rows
        assert 0.0 < server.backing_off_seconds <= 1.0


async def test_nodes_on_one_device_share_its_limits_also_after_a_reload() -> None:
    def on(device: str) -> ServiceGraph:
        return ServiceGraph({"node": Node("node", NodeKind.APPLICATION, "Node", device=device)}, {})

    harness = built(on("box"))
    harness.probes._budget.ask(check(), 0.0)
    assert [row.name for row in harness.probes.budget(BudgetScope.DEVICE, "", 5).rows] == ["box"]
    harness.probes.swap(on("other"))
    harness.probes._budget.ask(check(), 0.0)
    assert {row.name for row in harness.probes.budget(BudgetScope.DEVICE, "", 5).rows} == {"box", "other"}


async def test_a_long_queue_is_not_asked_again_for_every_answer() -> None:
    jobs = 2000
    async with (
        servers.tcp_server(servers.silent) as port,
        running(
            concurrent=4, concurrent_per_host=4, light_per_second=1000, light_burst=10_000, per_second=100_000,
            share_within=0.0,
        ) as harness,
    ):  # fmt: skip
        asked = 0
        ask = harness.probes._budget.ask

        def counting(of: Check, now: float, *, urgent: bool = False) -> Answer:
            nonlocal asked
            asked += 1
            return ask(of, now, urgent=urgent)

        harness.probes._budget.ask = counting  # type: ignore[assignment,method-assign]
        answers = harness.submit_all([check(f"c{number}", port=port, timeout=20.0) for number in range(jobs)])
        await harness.until(lambda: len(answers) == jobs)
        assert {answer.health for answer in answers} == {Health.GOOD}
        assert asked < 6 * jobs


async def test_heavy_probes_that_are_switched_off_are_refused() -> None:
    async with running(heavy_per_ten_seconds=0) as harness:
        answer = await harness.probes.ask(check(kind=CheckKind.HTTP), "")
        assert answer.error is ErrorClass.OVER_BUDGET


async def test_what_may_go_a_little_later_waits() -> None:
    async with (
        servers.tcp_server(servers.silent) as port,
        running(light_burst=1, light_per_second=50.0, share_within=0.0) as harness,
    ):
        answers = harness.submit_all([check("a", port=port)] * 5)
        await harness.until(lambda: len(answers) == 5)
        assert {answer.health for answer in answers} == {Health.GOOD}
        assert harness.metrics.value("btimd_probes_waited_total") == 4


async def test_a_full_queue_answers_at_once() -> None:
    harness = built(graph(), queue_limit=1, share_within=0.0)
    await harness.probes.start()
    answers = harness.submit_all([check("a"), check("b")])
    await harness.until(lambda: len(answers) == 1)
    assert (answers[0].spec.id, answers[0].error) == (1, ErrorClass.OVER_BUDGET)
    assert answers[0].detail == "1 probes are waiting already (probes.queue_limit)"
    await harness.probes.stop()


async def test_stopping_answers_everybody_exactly_once() -> None:
    async with servers.tcp_server(servers.silent) as port:
        async with running(concurrent=1) as harness:
            hanging = [check(f"check-{number}", CheckKind.HTTP, port=port, timeout=60 + number) for number in range(3)]
            answers = harness.submit_all(hanging)
            await harness.until(lambda: harness.metrics.value("btimd_probes_queued") == 2 or len(answers) > 0)
        late = harness.submit_all([check("late", port=port)])
        await harness.until(lambda: len(late) == 1)
    assert sorted(answer.spec.id for answer in answers) == [0, 1, 2]
    assert {(answer.health, answer.error) for answer in (*answers, *late)} == {
        (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)
    }


async def test_a_probe_cancelled_before_its_first_step_is_answered_and_gives_its_slot_back() -> None:
    harness = built(graph())
    await harness.probes.start()
    answers = harness.submit_all([check()])
    harness.probes._pump(SystemClock().monotonic())
    await harness.probes.stop()
    assert [answer.detail for answer in answers] == ["btimd broke the probe off"]
    assert harness.metrics.value("btimd_probes_in_flight") == 0


async def test_a_check_that_cannot_be_asked_says_so() -> None:
    async with running() as harness:
        answer = await harness.probes.ask(check(kind=CheckKind.DNS), "")
    assert (answer.health, answer.error) == (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE)
    assert answer.detail.startswith("check web cannot be asked: a dns check needs the name to ask for")


async def test_a_taker_that_fails_is_counted_and_stops_nobody() -> None:
    async with servers.tcp_server(Counting()) as port, running() as harness:

        def fails(_: ProbeResult) -> None:
            raise KeyError("taker")

        of = check(port=port)
        harness.probes.submit(ProbeSpec(9, of), fails)
        answers = harness.submit_all([of])
        await harness.until(lambda: len(answers) == 1)
        assert harness.metrics.value("btimd_probes_failures_total") == 1


async def test_a_diagnosis_goes_before_key_indicators() -> None:
    watched = [check(f"watched-{number}", port=1, every=60.0) for number in range(3)]
    harness = built(graph(*watched), concurrent=1)
    await harness.probes.start()
    now = SystemClock().monotonic() + 100.0
    harness.probes._take_samples(now)
    harness.submit_all([check("asked", port=2)])
    harness.probes._pump(now)
    (job,) = harness.probes._running.values()
    assert job.spec.check.id == "asked"
    assert harness.metrics.value("btimd_probes_queued") == 3
    await harness.probes.stop()


async def test_a_sample_that_is_still_being_taken_is_not_taken_twice() -> None:
    harness = built(graph(check("watched", port=1, every=1.0)))
    await harness.probes.start()
    now = SystemClock().monotonic()
    harness.probes._take_samples(now + 1.0)
    harness.probes._take_samples(now + 3.0)
    assert harness.metrics.value("btimd_probes_skipped_total") >= 1
    harness.probes._pump(now)
    assert len(harness.probes._running) == 1
    await harness.probes.stop()


async def test_a_reload_watches_the_new_graph_and_clears_what_is_gone() -> None:
    gone = check("gone", port=free_port(), every=0.1)
    new = check("new", port=free_port(), every=0.1)
    async with running(graph(gone), confirm_after=0.01) as harness:
        await harness.until(lambda: bool(harness.symptoms))
        harness.probes.swap(graph(new, generation=2))
        assert [symptom.check_id for symptom in harness.cleared] == ["gone"]
        await harness.until(lambda: len(harness.symptoms) == 2)
        assert harness.symptoms[1].check_id == "new"


async def test_health_warns_while_this_machine_holds_probes_back() -> None:
    harness = built(graph())
    ping = check("ping", CheckKind.ICMP)
    harness.probes._count(result(ping, Health.UNKNOWN, ErrorClass.NOT_PERMITTED, detail="run sysctl"))
    assert harness.probes.health() == ComponentHealth(HealthLevel.WARNING, "icmp probes: run sysctl")
    harness.probes._count(result(check(), Health.GOOD))
    assert harness.probes.health().level is HealthLevel.WARNING, "another kind says nothing about echoes"
    harness.probes._count(result(ping, Health.GOOD))
    assert harness.probes.health() == ComponentHealth()


async def test_it_can_be_started_again_after_a_stop() -> None:
    async with servers.tcp_server(servers.silent) as port:
        harness = built(graph())
        for _ in range(2):
            await harness.probes.start()
            task = asyncio.create_task(harness.probes.run())
            answer = await harness.probes.ask(check(port=port), "")
            assert answer.health is Health.GOOD
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await harness.probes.stop()

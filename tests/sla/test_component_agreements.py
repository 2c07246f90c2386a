"""The component with agreements: what it tells, keeps, corrects and promises."""

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from btimd.model.agreement import Agreement, AgreementKind, AgreementView, AuditEntry, BurnAlert, OutageChange
from btimd.model.incident import Priority
from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import Journal
from btimd.model.service import BusinessService
from btimd.model.sla import Availability
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.sla.component import STATE_NAME, TRAIL_NAME, SlaComponent
from btimd.sla.settings import SlaSettings
from tests.sla.agreeing import HOUR, MINUTE, agreement, covering, targets

UP, DOWN, UNKNOWN = Availability.UP, Availability.DOWN, Availability.UNKNOWN
NEEDS = {"erp": ("line",), "mail": ("line",), "line": ()}


class MemoryStates:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.order: list[str] = []

    async def save_state(self, name: str, value: bytes) -> None:
        self.kept[name] = value
        self.order.append(name)

    async def load_state(self, name: str) -> bytes | None:
        return self.kept.get(name)


class MemorySeries:
    def __init__(self) -> None:
        self.blocks: list[PointBlock] = []

    def write(self, block: PointBlock) -> None:
        self.blocks.append(block)

    async def query(self, _: SeriesQuery) -> Sequence[SeriesRow]:
        return []


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.states = MemoryStates()
        self.series = MemorySeries()
        self.metrics = Metrics()
        self.turns: list[tuple[str, Availability, Availability]] = []
        self.alerts: list[BurnAlert] = []
        self.revisions: list[AuditEntry] = []

    async def start(self, *agreements: Agreement, **settings: Any) -> SlaComponent:
        component = SlaComponent(
            settings=SlaSettings(**settings),
            businesses={name: BusinessService(name, name.upper()) for name in ("erp", "mail")},
            journal=cast("Journal", self.states),
            metrics=self.metrics,
            clock=self.clock,
            log=Log("sla"),
            series=self.series,
            agreements=agreements,
            needs=NEEDS,
            on_transition=lambda business, before, after, _: self.turns.append((business, before, after)),
            on_alert=self.alerts.append,
            on_revision=self.revisions.append,
        )
        await component.start()
        return component

    async def pass_time(self, sla: SlaComponent, seconds: float, **conditions: Availability) -> None:
        """Let time pass in steps of half a minute with these businesses observed at each."""
        for _ in range(round(seconds / 30.0)):
            for business, condition in conditions.items():
                sla.business_state(business, condition, self.clock.wall())
            self.clock.advance(30.0)
            await sla.tick()

    def counted(self, name: str) -> float:
        return cast("float", self.metrics.registry.get_sample_value(name))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_every_change_is_told_once_whoever_notices_it_first(bench: Bench) -> None:
    sla = await bench.start()
    sla.business_state("erp", UP, bench.clock.wall())
    sla.business_state("erp", UP, bench.clock.wall())
    bench.clock.advance(100.0)
    sla.states()  # counts time, too
    await sla.tick()
    await sla.tick()

    assert bench.turns == [("erp", UNKNOWN, UP), ("erp", UP, UNKNOWN)]


async def test_alarms_begin_and_end_and_are_told_once_over_a_restart(bench: Bench) -> None:
    sla = await bench.start(agreement())
    await bench.pass_time(sla, HOUR, erp=UP)
    await bench.pass_time(sla, 5 * MINUTE, erp=DOWN)
    await sla.stop()
    sla = await bench.start(agreement())
    await bench.pass_time(sla, 2 * MINUTE, erp=DOWN)
    await bench.pass_time(sla, 40 * MINUTE, erp=UP)

    told = [(alert.window.value, alert.raised) for alert in bench.alerts]
    assert told == [("fast", True), ("slow", True), ("fast", False), ("slow", False)]
    assert bench.counted("btimd_sla_burn_alerts_total") == 2


async def test_how_it_stands_is_told_by_agreement_and_written_as_points(bench: Bench) -> None:
    ours = agreement(businesses=("erp", "mail")), covering("isp", "line", kind=AgreementKind.UC)
    component = await bench.start(*ours)
    sla: AgreementView = component
    await bench.pass_time(component, 2 * MINUTE, erp=UP)
    block = [one for one in bench.series.blocks if one.measurement == "btimd_sla_agreement"][-1]

    assert sla.agreements() == ours
    assert [(one.figures.agreement, one.figures.subject, one.current) for one in sla.standings()] == [
        ("bank", "erp", UP),
        ("bank", "mail", UNKNOWN),
        ("isp", "isp", UP),
    ]
    assert [state.up_seconds for state in sla.periods("bank")] == [120.0, 0.0]
    assert block.tags == {"agreement": ["bank", "bank", "isp"], "subject": ["erp", "mail", "isp"]}
    assert block.fields["state"].tolist() == [1, -1, 1]
    assert block.fields["coverage_ratio"].tolist()[1] == 0.0


async def test_users_of_an_outage_are_their_minutes_lost(bench: Bench) -> None:
    sla = await bench.start(agreement())
    sla.business_state("erp", DOWN, bench.clock.wall())
    sla.business_state("erp", DOWN, bench.clock.wall(), users=40, users_exact=True)
    await bench.pass_time(sla, 2 * MINUTE, erp=DOWN)
    kept = sla.standings()[0].figures

    assert (kept.user_minutes_lost, kept.user_minutes_coverage, kept.user_minutes_exact) == (80.0, 1.0, True)


async def test_a_correction_is_kept_with_its_reason_before_what_it_corrects(bench: Bench) -> None:
    sla = await bench.start(agreement())
    begin = bench.clock.wall()
    await bench.pass_time(sla, 10 * MINUTE, erp=UP)
    bench.states.order.clear()
    entry = sla.revise(
        "erp", begin + 60, begin + 120, OutageChange(availability=DOWN, supplier="Telecom"), by="li", why="call 4711"
    )
    await sla.tick()

    assert bench.states.order == [TRAIL_NAME, STATE_NAME]
    assert bench.revisions == [entry]
    assert (entry.effects[0].down_seconds_before, entry.effects[0].down_seconds_after) == (0.0, 60.0)
    again = await bench.start(agreement())
    assert again.audit() == (entry,)
    assert again.states()[0].down_seconds == 60.0
    assert bench.counted("btimd_sla_revisions_total") == 1


async def test_late_data_fills_unknown_time_only(bench: Bench) -> None:
    sla = await bench.start(agreement())
    begin = bench.clock.wall()
    await bench.pass_time(sla, 5 * MINUTE)
    await bench.pass_time(sla, 5 * MINUTE, erp=UP)
    entry = sla.late("erp", begin + 60.0, begin + 600.0, DOWN)

    assert entry is not None
    assert (entry.revision.by, entry.revision.why) == ("btimd", "late data")
    assert (entry.revision.start, entry.revision.end) == (begin + 60.0, begin + 300.0)
    assert (sla.states()[0].down_seconds, sla.states()[0].up_seconds) == (240.0, 300.0)
    assert sla.late("erp", begin + 60.0, begin + 600.0, UP) is None
    assert sla.late("gone", begin, begin + 1.0, UP) is None
    assert bench.counted("btimd_sla_unknown_businesses_total") == 1


async def test_an_incident_is_promised_what_is_due_first(bench: Bench) -> None:
    sla = await bench.start(
        agreement(response=targets(P1=10), resolve=targets(P1=240)),
        covering("isp", "line", kind=AgreementKind.UC, response=targets(P1=15), resolve=targets(P1=120)),
    )
    now = bench.clock.wall()
    response, resolve = sla.promises(businesses=["erp"], cause="line", priority=Priority.P1, opened_at=now)

    assert response is not None
    assert resolve is not None
    assert (response.agreement, response.due_at) == ("bank", now + 10 * MINUTE)
    assert (resolve.agreement, resolve.due_at) == ("isp", now + 2 * HOUR)
    assert sla.promises(businesses=[], cause="", priority=Priority.P1, opened_at=now) == (None, None)


async def test_a_reload_brings_other_agreements(bench: Bench) -> None:
    sla = await bench.start(agreement())
    sla.swap({"mail": BusinessService("mail", "MAIL")}, [agreement("new", businesses=("erp", "mail"))], NEEDS)
    await bench.pass_time(sla, MINUTE, mail=UP)

    assert [(one.figures.agreement, one.figures.subject) for one in sla.standings()] == [("new", "mail")]
    sla.swap({"mail": BusinessService("mail", "MAIL")})
    assert len(sla.standings()) == 1


async def test_a_trail_that_cannot_be_read_begins_anew_and_says_so(bench: Bench) -> None:
    bench.states.kept[TRAIL_NAME] = b'{"version":9}'
    sla = await bench.start(agreement())

    assert sla.audit() == ()
    assert sla.health().level is HealthLevel.WARNING
    assert sla.health().reason.startswith("the audit trail could not be read and began anew: audit trail of version 9")


async def test_accounts_of_the_first_version_are_read_and_written_as_the_second(bench: Bench) -> None:
    sla = await bench.start()
    await bench.pass_time(sla, MINUTE, erp=UP)
    await sla.stop()
    written = json.loads(bench.states.kept[STATE_NAME])
    for account in written["accounts"].values():
        account["version"] = 1
        del account["log"], account["exact_from"]
        for month in account["months"]:
            month["outages"] = [outage[:4] for outage in month["outages"]]
    bench.states.kept[STATE_NAME] = json.dumps(written).encode()
    sla = await bench.start()

    assert sla.states()[0].up_seconds == 60.0
    await sla.stop()
    assert json.loads(bench.states.kept[STATE_NAME])["accounts"]["erp"]["version"] == 2
    assert bench.counted("btimd_sla_damaged_accounts_total") == 0


async def test_a_thousand_agreements_are_looked_at_in_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sla = await bench.start(*(agreement(f"a{n}") for n in range(90)))
    looked: list[str] = []
    original: Callable[..., list[BurnAlert]] = sla._book.look

    def look(name: str, subject: str, now: float) -> list[BurnAlert]:
        looked.append(name)
        return original(name, subject, now)

    monkeypatch.setattr(sla._book, "look", look)
    for _ in range(30):
        bench.clock.advance(1.0)
        await sla.tick()

    assert len(looked) == 90
    assert len(set(looked)) == 90

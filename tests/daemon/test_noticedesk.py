"""The notice desk: orders reach people once, whatever dies in between; who cannot be reached is never passed over."""

from contextlib import suppress
from pathlib import Path

import pytest

from btimd.daemon.noticedesk import STATE_NAME
from btimd.model.incident import CommandKind, IncidentCommand
from btimd.model.notification import Means
from btimd.runtime.lifecycle import HealthLevel
from tests.daemon.noticing import PEOPLE, Company, CrashedError, company, im, people_of, person_of
from tests.itsm.examples import verdict

ORDERED = [("ann", "order", "screen", "accepted_by_gateway"), ("ann", "order", "im", "accepted_by_gateway")]


def said(there: Company) -> list[str]:
    """Return whom the robot mentioned, in turn."""
    return [str(body["markdown"]["content"]).rpartition("<@")[2].rstrip(">") for body in there.robot.taken]


async def test_an_order_is_told_by_the_ladder_of_its_priority_with_what_an_order_must_say(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.idle()
        rows = await there.rows(incident.id)
        told = await there.told(incident.id)
        said_to = said(there)

    assert told == ORDERED
    assert said_to == ["ann"]
    text = rows[1].text
    for part in ("[P3] please accept", "Business: ERP", "Source: RCA", "Accept by:", f"#{rows[1].number}"):
        assert part in text
    assert incident.id.endswith(rows[1].number)


async def test_it_is_repeated_until_somebody_accepts_and_then_no_more(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.idle()
        there.desk.advance(600)
        await there.desk.until(lambda: _sent(there, 2))
        await there.desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", incident.id), "ann")
        there.desk.advance(1200)
        await there.idle()
        told = await there.told(incident.id)
        value = there.desk.metrics.value("btimd_itsm_notify_tellings_total", {"kind": "reminder", "outcome": "told"})
        learned = there.notices.estimates.seen("ann", Means.IM)
        await there.end()
        saved = await there.journal.load_state(STATE_NAME)

    assert [kind for _, kind, means, _ in told if means == "im"] == ["order", "reminder"]
    assert value == 1.0
    assert learned == 1.0  # by the first telling of the order
    assert saved is not None
    assert b'"ann"' in saved


async def _sent(there: Company, number: int) -> bool:
    return len(there.robot.taken) >= number


async def test_an_order_that_goes_to_the_next_is_recalled_from_the_first_and_the_lead_hears_of_it(
    tmp_path: Path,
) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.idle()
        there.desk.advance(1800)
        await there.desk.until(lambda: _sent(there, 4))
        await there.idle()
        told = await there.told(incident.id)

    # Reminders became due on the way, and half of the time to respond is over: that is news.
    others = {"news", "reminder"}
    assert sorted((who, kind) for who, kind, means, _ in told if means == "im" and kind not in others) == [
        ("ann", "order"), ("ann", "recalled"), ("bob", "order"), ("lea", "not-accepted"),
    ]  # fmt: skip


async def test_an_order_accepted_before_it_was_sent_is_withdrawn_and_not_recalled(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        incident = await there.ordered()
        there.notices._notifier.wake()
        await there.notices._look()  # planned, not sent
        await there.desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", incident.id), "ann")
        there.run()
        await there.idle()
        told = await there.told(incident.id)

    assert told == [("ann", "order", "screen", "withdrawn"), ("ann", "order", "im", "withdrawn")]
    assert there.robot.taken == []


@pytest.mark.parametrize("calls", range(16))
async def test_a_crash_between_any_two_steps_neither_loses_nor_doubles_an_order(tmp_path: Path, calls: int) -> None:
    async with company(tmp_path) as there:
        await there.start()
        incident = await there.ordered()
        there.journal.left = calls
        there.run()
        with suppress(CrashedError):
            await there.desk.until(lambda: _over(there))
        await there.die()
        there.robot.taken, before = [], there.robot.taken
        await there.start()
        there.run()
        await there.idle()
        orders = [one for one in await there.rows(incident.id) if one.kind.value == "order"]
        sent = [str(body).count("please accept") for body in (*before, *there.robot.taken)]

    # One message and no more; where nobody knows whether it arrived, it is not sent again and those above are told.
    unknown = [one for one in orders if one.state.value == "failed"]
    assert sorted(one.means.value for one in orders) == ["im", "screen"]
    assert sum(sent) == 1 or (sum(sent) == 0 and unknown)
    assert all(one.uncertain for one in unknown)
    if unknown:
        assert any("<@lea>" in str(body) for body in there.robot.taken)


async def _over(there: Company) -> bool:
    if there.work is not None and there.work.done():
        raise CrashedError
    return there.journal.left is not None and there.journal.left < 0


async def test_who_has_no_verified_contact_is_an_alarm_to_the_lead(tmp_path: Path) -> None:
    people = people_of(person_of("ann", im("ann", verified=False)), *(PEOPLE.persons[name] for name in ("lea", "cen")))
    async with company(tmp_path, people) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.desk.until(lambda: _sent(there, 1))
        await there.idle()
        told = [one for one in await there.told(incident.id) if one[2] == "im"]
        text = (await there.rows(incident.id))[-1].text
        alarms = there.desk.metrics.value("btimd_itsm_notify_unreachable_total", {"who": "person"})
        health = there.notices.health()

    assert told == [("lea", "news", "im", "accepted_by_gateway")]
    assert "the person ordered cannot be reached" in text
    assert "the contact is not verified" in text
    assert alarms == 1.0
    assert health.level is HealthLevel.OK


async def test_where_the_lead_cannot_be_reached_either_the_centre_is_told(tmp_path: Path) -> None:
    people = people_of(person_of("ann"), person_of("lea"), PEOPLE.persons["cen"])
    async with company(tmp_path, people) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.desk.until(lambda: _sent(there, 1))
        await there.idle()
        told = [one for one in await there.told(incident.id) if one[2] == "im"]

    assert told == [("cen", "news", "im", "accepted_by_gateway")]


async def test_where_nobody_at_all_can_be_told_the_health_says_so_until_it_is_over(tmp_path: Path) -> None:
    async with company(tmp_path, people_of(person_of("ann")), centre=[]) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.desk.until(lambda: _unreached(there, 1.0))
        health = there.notices.health()
        await there.desk.component.command(
            IncidentCommand(CommandKind.CANCEL, "c1", incident.id, text="a drill"), "cat"
        )
        await there.desk.until(lambda: _unreached(there, 0.0))

    assert health.level is HealthLevel.WARNING
    assert "ann cannot be reached" in health.reason
    assert there.notices.health().level is HealthLevel.OK


async def _unreached(there: Company, number: float) -> bool:
    return there.desk.metrics.value("btimd_itsm_notify_unreached") == number


async def test_nobody_on_duty_is_told_to_the_centre(tmp_path: Path) -> None:
    from tests.itsm.people import Team

    async with company(tmp_path) as there:
        await there.start(Team(by_level=((), ())))
        there.run()
        opened = await there.desk.report(verdict())
        there.desk.advance(300)
        await there.desk.until(lambda: _sent(there, 1))
        await there.idle()
        told = await there.told(opened.id)

    assert [(person, kind) for person, kind, means, _ in told if means == "im"] == [("cen", "news")]


async def test_a_robot_that_refuses_leads_to_those_above(tmp_path: Path) -> None:
    from tests.itsm.notify.doubles import said as answered

    async with company(tmp_path) as there:
        there.robot.script = [answered({"errcode": 40008, "errmsg": "invalid message type"})]
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.desk.until(lambda: _sent(there, 1))
        await there.idle()
        told = await there.told(incident.id)

    assert [one for one in told if one[2] == "im"] == [
        ("ann", "order", "im", "failed"), ("lea", "news", "im", "accepted_by_gateway"),
    ]  # fmt: skip


async def test_other_channels_and_people_are_in_force_after_a_reload(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        await there.ordered()
        await there.idle()
        people = people_of(person_of("ann", im("ann2")), PEOPLE.persons["lea"])
        changed = there.settings.model_copy(update={"sms_parts": 3})
        there.notices.swap(await there.notices.prepare(changed, (120.0, 300.0, 600.0, 1800.0, 3600.0)), people)
        assert await there.notices.prepare(changed, (120.0, 300.0, 600.0, 1800.0, 3600.0)) is None
        there.desk.advance(600)
        await there.desk.until(lambda: _sent(there, 2))

    assert said(there) == ["ann", "ann2"]


async def test_channels_that_cannot_start_leave_everything_as_it_was(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        wrong = there.settings.model_copy(
            update={"robot": {"noc": there.settings.robot["noc"].model_copy(update={"url_file": tmp_path / "gone"})}}
        )
        with pytest.raises(ValueError, match="itsm.notify.robot.noc"):
            await there.notices.prepare(wrong, (120.0, 300.0, 600.0, 1800.0, 3600.0))


async def test_a_silence_keeps_an_order_back_until_it_ends_early_or_not(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        silent = [True]
        there.notices._held_until = lambda _incident, now: now + 7200.0 if silent[0] else None
        there.run()
        incident = await there.ordered()
        await there.notices._look()
        before = await there.told(incident.id)
        held = there.desk.metrics.value("btimd_itsm_notify_tellings_total", {"kind": "order", "outcome": "held"})
        silent[0] = False  # somebody ended it
        there.desk.advance(60)
        there.notices.wake()
        await there.desk.until(lambda: _sent(there, 1))
        await there.idle()
        after = await there.told(incident.id)

    assert (before, held) == ([], 1)
    assert after == ORDERED


async def test_what_was_learned_is_there_after_a_restart_and_damage_is_told(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.idle()
        there.desk.advance(90)
        await there.desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", incident.id), "ann")
        await there.idle()
        await there.end()
        again = there.build()
        await again.start()
        learned = again.estimates.seen("ann", Means.IM)
        expected = again.estimates.seconds("ann", Means.IM, 6)
        await there.end()
        await there.journal.save_state(STATE_NAME, b'{"version": 99}')
        damaged = there.build()
        await damaged.start()
        health = damaged.health()

    assert learned == 1.0
    assert 100.0 < expected < 150.0  # 150 s are usual for chat, 90 s were seen once, by day and at that hour
    assert "begin anew" in health.reason
    assert health.level is HealthLevel.WARNING

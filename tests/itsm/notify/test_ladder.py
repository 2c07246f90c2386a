from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.notify.estimates import Estimates
from btimd.itsm.notify.ladder import Channel, Health, Plan, Rules, Skipped, again, plan
from btimd.itsm.notify.limits import CostCap
from btimd.model.incident import Priority
from btimd.model.notification import (
    AcceptTime,
    Contact,
    Means,
    Notice,
    NoticeKind,
    NoticeState,
    Order,
    QuietHours,
    Recipient,
)
from tests.itsm.notify.examples import CHANNELS, IM, MAIL, NOW, ORDER, SMS, VOICE, ZHANG, notice

RULES = Rules(CHANNELS)
NIGHT = QuietHours(22 * 60, 7 * 60)
LATE = NOW + 13 * 3600  # 23:02 in Shanghai
WATCHING = Health(watching=frozenset({"zhang"}))


def planned(order: Order = ORDER, person: Recipient = ZHANG, history: tuple[Notice, ...] = (), **changes: Any) -> Plan:
    given: dict[str, Any] = {"health": Health(), "estimates": Estimates(), "now": NOW, "rules": RULES, **changes}
    return plan(order, person, history, **given)


def means(made: Plan) -> list[Means]:
    return [send.channel.means for send in made.sends]


def told(number: int, priority: Priority, *several: Means, at: float = NOW) -> tuple[Notice, ...]:
    return tuple(
        notice(round=number, means=way, priority=priority, at=at, due_at=at, id=f"{number}-{way}", address="x")
        for way in several
    )


@pytest.mark.parametrize(
    ("priority", "rounds", "renotify"),
    [
        (1, [{"screen", "im", "sms"}, {"screen", "im", "sms", "voice"}], 120),
        (2, [{"screen", "im", "sms"}, {"screen", "im", "sms"}, {"screen", "im", "sms", "voice"}], 300),
        (3, [{"screen", "im"}, {"screen", "im", "sms"}], 600),
        (4, [{"screen", "email"}, {"screen", "email"}], 1800),
        (5, [{"screen", "email"}], 3600),
    ],
)
def test_each_priority_climbs_its_own_ladder(priority: int, rounds: list[set[str]], renotify: float) -> None:
    order = replace(ORDER, priority=Priority(priority), accept_by=None)
    for number, expected in enumerate(rounds):
        history = told(number - 1, order.priority, Means.SCREEN) if number else ()
        made = planned(order, history=history)

        assert {way.value for way in means(made)} == expected
        assert (made.round, made.wait_until, made.alarm, made.skipped) == (number, NOW + renotify, "", ())


def test_it_goes_on_telling_until_somebody_accepts() -> None:
    made = planned(history=told(40, Priority.P1, Means.SCREEN, at=NOW - 3600))

    assert made.round == 41
    assert means(made) == [Means.SCREEN, Means.IM, Means.SMS, Means.VOICE]


def test_told_by_another_dispatch_is_not_told() -> None:
    other = told(3, Priority.P1, Means.SMS)

    assert planned(replace(ORDER, dispatch_id="d-2"), history=other).round == 0
    assert planned(history=(replace(other[0], kind=NoticeKind.RECALLED),)).round == 0


def test_contacts_that_are_not_shown_to_be_theirs_are_not_used() -> None:
    made = planned(person=replace(ZHANG, contacts=(IM, replace(SMS, verified=False))))

    assert means(made) == [Means.SCREEN, Means.IM]
    assert made.skipped == (Skipped(Means.SMS, "the contact is not verified"),)


def test_a_closed_channel_gives_way_to_the_next_of_its_means_then_to_another_means() -> None:
    rules = replace(RULES, channels=(*CHANNELS, Channel("gw2", Means.SMS)))
    health = Health(closed={"gw": "no connection", "wecom": "key is wrong"})

    assert [send.channel.name for send in planned(health=health, rules=rules).sends] == ["screen", "gw2"]
    made = planned(health=health)
    assert [send.channel.name for send in made.sends] == ["screen", "call"]
    assert made.sends[1].why == "nothing of the ladder can be used"
    assert [skip.reason for skip in made.skipped] == [
        "wecom is held back: key is wrong", "gw is held back: no connection",
    ]  # fmt: skip


def test_mail_that_is_down_rings_no_telephone_for_a_minor_order() -> None:
    made = planned(replace(ORDER, priority=Priority.P4), health=Health(closed={"mail": "down"}))

    assert means(made) == [Means.SCREEN, Means.IM]


def test_who_cannot_be_reached_is_an_alarm_with_every_reason() -> None:
    made = planned(person=Recipient("wang", "王五", contacts=(replace(SMS, verified=False),)))

    assert means(made) == [Means.SCREEN]
    assert made.alarm == (
        "wang cannot be reached: im: no contact; sms: the contact is not verified; "
        "voice: no contact; webhook: no contact; email: no contact"
    )
    assert made.wait_until == NOW + 120


def test_an_open_screen_reaches() -> None:
    made = planned(person=replace(ZHANG, contacts=()), health=WATCHING)

    assert (means(made), made.alarm) == ([Means.SCREEN], "")


def test_a_minor_order_waits_for_the_end_of_quiet_hours_and_an_urgent_one_does_not() -> None:
    rules = replace(RULES, quiet=NIGHT)
    minor = replace(ORDER, priority=Priority.P4)
    by_im = replace(ZHANG, contacts=(IM,))

    made = planned(minor, by_im, now=LATE, rules=rules)
    assert (means(made), made.alarm, made.wait_until) == ([Means.SCREEN], "", NOW + 21 * 3600 - 120)
    assert means(planned(person=by_im, now=LATE, rules=rules)) == [Means.SCREEN, Means.IM]
    # Mail wakes nobody, unless the person wants it quiet too.
    assert means(planned(minor, now=LATE, rules=rules)) == [Means.SCREEN, Means.EMAIL]
    asleep = replace(ZHANG, contacts=(replace(MAIL, quiet=(NIGHT,)),))
    assert planned(minor, asleep, now=LATE).wait_until == NOW + 21 * 3600 - 120


def test_a_number_used_as_often_as_allowed_is_left_alone_and_the_next_number_is_taken() -> None:
    history = tuple(notice(id=str(n), dispatch_id="other", at=NOW - 100 - n) for n in range(5))
    second = Contact(Means.SMS, "13911111111", verified=True)

    made = planned(history=history)
    assert means(made) == [Means.SCREEN, Means.IM]
    assert made.skipped == (Skipped(Means.SMS, "the address was used as often as allowed", NOW + 900),)
    made = planned(person=replace(ZHANG, contacts=(SMS, second)), history=history)
    assert made.sends[1].contact == second


def test_what_is_too_dear_today_is_said_and_p1_is_sent_all_the_same() -> None:
    rules = replace(RULES, cost_cap=CostCap(1.0))
    health = Health(spent=0.97)

    made = planned(replace(ORDER, priority=Priority.P2), health=health, rules=rules)
    assert means(made) == [Means.SCREEN, Means.IM]
    assert made.skipped == (Skipped(Means.SMS, "the day's cost cap is reached"),)
    assert means(planned(health=health, rules=rules)) == [Means.SCREEN, Means.IM, Means.SMS]


def test_a_person_known_to_answer_calls_only_is_called_before_it_is_too_late() -> None:
    learned = Estimates()
    for _ in range(12):
        for way in (Means.SCREEN, Means.IM, Means.SMS):
            learned = learned.learned(AcceptTime("zhang", way, 10, 1800.0, censored=True))
        learned = learned.learned(AcceptTime("zhang", Means.VOICE, 10, 40.0))

    made = planned(estimates=learned)
    assert means(made) == [Means.SCREEN, Means.IM, Means.SMS, Means.VOICE]
    assert made.sends[3].why == "the other means would be too late"
    assert means(planned(estimates=learned, rules=replace(RULES, hasten=False))) == [Means.SCREEN, Means.IM, Means.SMS]
    assert Means.VOICE not in means(planned(estimates=Estimates()))


def test_where_the_ladder_fails_the_quickest_other_means_is_taken() -> None:
    learned = Estimates()
    for _ in range(10):
        learned = learned.learned(AcceptTime("zhang", Means.EMAIL, 10, 5.0))

    made = planned(person=replace(ZHANG, contacts=(VOICE, MAIL)), estimates=learned)
    assert means(made) == [Means.SCREEN, Means.EMAIL]


def test_a_channel_for_one_contact_must_exist() -> None:
    made = planned(person=replace(ZHANG, contacts=(replace(IM, channel="feishu"), SMS)))

    assert made.skipped == (Skipped(Means.IM, "channel feishu is not configured"),)


def test_what_failed_is_replaced_at_once_unless_something_else_went_out() -> None:
    def after(history: tuple[Notice, ...], **changes: Any) -> Plan:
        given: dict[str, Any] = {"health": Health(), "estimates": Estimates(), "now": NOW, "rules": RULES, **changes}
        return again(ORDER, ZHANG, history, **given)

    failed = (
        notice(id="a", means=Means.SCREEN, channel="screen", address="", state=NoticeState.DELIVERED),
        notice(id="b", means=Means.IM, channel="wecom", address="zhang", state=NoticeState.FAILED),
        notice(id="c", means=Means.SMS, state=NoticeState.FAILED),
    )
    made = after(failed)
    assert [(send.channel.name, send.round) for send in made.sends] == [("call", 0)]
    assert after((*failed[:2], replace(failed[2], state=NoticeState.ACCEPTED_BY_GATEWAY))).sends == ()
    assert after(failed, health=WATCHING).sends == ()
    assert after(()).sends == ()
    no_more = after(failed, health=Health(closed={"call": "x", "mail": "y"}))
    assert no_more.sends == ()
    assert no_more.alarm.startswith(
        "zhang cannot be reached: im: wecom failed just now; sms: gw failed just now; voice:"
    )


@given(
    st.sampled_from(Priority),
    st.integers(0, 5),
    st.lists(
        st.sampled_from([IM, SMS, VOICE, MAIL, replace(SMS, verified=False), replace(IM, quiet=(NIGHT,))]), max_size=4
    ),
    st.sets(st.sampled_from(["wecom", "gw", "call", "mail"])),
    st.sampled_from([NOW, LATE]),
    st.booleans(),
)
def test_nobody_is_passed_over_in_silence(
    priority: Priority, number: int, contacts: list[Contact], closed: set[str], now: float, watching: bool
) -> None:
    order = replace(ORDER, priority=priority)
    person = replace(ZHANG, contacts=tuple(contacts))
    history = told(number - 1, priority, Means.SCREEN, at=now - 300) if number else ()
    health = Health(dict.fromkeys(closed, "down"), frozenset({"zhang"} if watching else ()))
    made = planned(order, person, history, health=health, now=now, rules=replace(RULES, quiet=NIGHT))

    reached = watching or any(send.channel.means is not Means.SCREEN for send in made.sends)
    held = any(skip.quiet for skip in made.skipped)
    assert bool(made.alarm) is not (reached or held)
    assert made.wait_until > now
    assert len({(send.channel.name, send.contact.address) for send in made.sends}) == len(made.sends)
    assert not {send.channel.name for send in made.sends} & closed
    assert all(send.contact.verified for send in made.sends)

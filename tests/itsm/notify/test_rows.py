# ruff: noqa: RUF001  full-width characters are meant
from dataclasses import replace
from itertools import count

from btimd.itsm.notify.estimates import Estimates
from btimd.itsm.notify.ladder import Health, Rules, plan
from btimd.itsm.notify.rows import Bundle, bundled, notices_of
from btimd.itsm.notify.texts import Wording
from btimd.model.incident import Priority
from btimd.model.notification import Means, NoticeKind, NoticeState
from tests.itsm.notify.examples import CHANNELS, NOW, ORDER, ZHANG, notice


def test_a_plan_becomes_one_row_for_each_message() -> None:
    ids = count(1)
    long = replace(ORDER, description="数据库监听器不响应连接请求" * 9)
    made = plan(long, ZHANG, (), health=Health(), estimates=Estimates(), now=NOW, rules=Rules(CHANNELS))

    rows = notices_of(made, long, ZHANG, now=NOW, wording=Wording(), new_id=lambda: f"n-{next(ids)}")

    assert [(row.id, row.means, row.channel, row.address, row.cost) for row in rows] == [
        ("n-1", Means.SCREEN, "screen", "", 0.0),
        ("n-2", Means.IM, "wecom", "zhang", 0.0),
        ("n-3", Means.SMS, "gw", "13800000000", 0.1),
    ]
    assert {(row.kind, row.state, row.round, row.due_at, row.expires_at, row.dispatch_id) for row in rows} == {
        (NoticeKind.ORDER, NoticeState.PENDING, 0, NOW, NOW + 120, "d-1")
    }


def test_a_later_round_is_a_reminder() -> None:
    made = plan(ORDER, ZHANG, (notice(),), health=Health(), estimates=Estimates(), now=NOW, rules=Rules(CHANNELS))
    rows = notices_of(made, ORDER, ZHANG, now=NOW, wording=Wording(), new_id=lambda: "n")

    assert {row.kind for row in rows} == {NoticeKind.REMINDER}
    assert rows[0].text.startswith("[P1] 仍未接单 支付")


def test_a_storm_is_one_message_and_p1_is_told_by_itself() -> None:
    storm = [notice(id=f"n-{n}", number=str(n)) for n in range(40)]
    urgent = notice(id="p1", priority=Priority.P1)
    screen = notice(id="s", means=Means.SCREEN, channel="screen", address="")
    other = notice(id="o", address="13911111111")

    made = bundled([*storm, urgent, screen, other], sms_parts=1)

    assert made[1:] == (Bundle(urgent, (urgent,)), Bundle(screen, (screen,)), Bundle(other, (other,)))
    assert made[0].told == tuple(storm)
    assert made[0].sent.text == ("共40单待处理：#0 #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15 ..。详见屏幕")


def test_two_orders_are_two_messages() -> None:
    two = [notice(id="a"), notice(id="b")]

    assert [bundle.sent for bundle in bundled(two, sms_parts=1)] == two

"""One order, one person and their contacts, as the tests of notification use them."""

import calendar
from dataclasses import replace
from typing import Any

from btimd.itsm.notify.ladder import SCREEN, Channel
from btimd.model.incident import Priority
from btimd.model.notification import Contact, Means, Notice, NoticeKind, NoticeState, Order, Recipient

NOW = float(calendar.timegm((2026, 11, 20, 2, 2, 0)))
"""10:02 in Shanghai, a Friday."""

ORDER = Order(
    incident_id="inc-1",
    dispatch_id="d-1",
    priority=Priority.P1,
    title="监听中断",
    description="",
    source="RCA",
    reporter="NOC",
    occurred_at=NOW,
    accept_by=NOW + 600,
    resolve_due_at=NOW + 7200,
    business="支付 oracle01",
    region="北京",
    users=120,
    cause="oracle01",
    number="4711",
)
IM = Contact(Means.IM, "zhang", verified=True)
SMS = Contact(Means.SMS, "13800000000", verified=True)
VOICE = Contact(Means.VOICE, "13800000000", verified=True)
MAIL = Contact(Means.EMAIL, "zhang@corp.test", verified=True)
ZHANG = Recipient("zhang", "张三", contacts=(IM, SMS, VOICE, MAIL))
CHANNELS = (
    SCREEN,
    Channel("wecom", Means.IM),
    Channel("gw", Means.SMS, 0.05),
    Channel("call", Means.VOICE, 0.3),
    Channel("mail", Means.EMAIL),
)


def notice(**changes: Any) -> Notice:
    """Return a notice of the order by SMS with changes."""
    made = Notice(
        id="n-1",
        incident_id="inc-1",
        dispatch_id="d-1",
        number="4711",
        priority=Priority.P2,
        person="zhang",
        kind=NoticeKind.ORDER,
        means=Means.SMS,
        channel="gw",
        address="13800000000",
        language="zh",
        round=0,
        subject="[P2] 请接单 #4711",
        text="[P2] 支付 监听中断 #4711 回复 1接 2退 3升",
        due_at=NOW,
        expires_at=NOW + 300,
        at=NOW,
        state=NoticeState.PENDING,
    )
    return replace(made, **changes)

"""FakeNotices: the NoticesView of model/noticeview.py over a list."""

from collections.abc import Sequence
from dataclasses import replace

from btimd.model.incident import CommandRefusedError, ImpactAssessment, Incident, RefusalCode
from btimd.model.notification import Means, Notice, NoticeKind, NoticeState, ReplyAction
from btimd.runtime.feed import Feed, FeedSubscription
from tests.itsm.notify.examples import notice
from tests.store.examples import incident

ERP = replace(incident("INC-20261122-0001"), assessment=ImpactAssessment(businesses=("erp",)))
HR = replace(incident("INC-20261122-0002"), assessment=ImpactAssessment(businesses=("hr",)))
NOTICES = (
    notice(id="1", incident_id=ERP.id, person="otto", means=Means.SCREEN, channel="screen", address="",
           state=NoticeState.DELIVERED, number="1122-0001", text="[P2] 支付 监听中断 #1122-0001", language="zh"),
    notice(id="2", incident_id=ERP.id, person="otto", state=NoticeState.FAILED, error="refused: no such number",
           number="1122-0001"),
    notice(id="3", incident_id=HR.id, person="mona", kind=NoticeKind.NEWS, state=NoticeState.ACCEPTED_BY_GATEWAY,
           number="1122-0002", uncertain=True),
)  # fmt: skip


class FakeNotices:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.notices: list[Notice] = list(NOTICES)
        self.asked: list[tuple[str, ...]] = []
        self.feed: Feed[str, Notice] = Feed(100)
        self.refusal: CommandRefusedError | None = None

    def watch_screen(self, person: str) -> FeedSubscription[str, Notice]:
        self.asked.append(("screen", person))
        for one in self.notices:
            if one.means is Means.SCREEN:
                self.feed.publish(one.id, one)
        return self.feed.subscribe()

    async def find_notices(self, *, incident_id: str, person: str, limit: int) -> Sequence[Notice]:
        found = [
            one for one in reversed(self.notices) if incident_id in {"", one.incident_id} and person in {"", one.person}
        ]
        return found[:limit]

    async def noticed_incident(self, incident_id: str) -> Incident | None:
        return {one.id: one for one in (ERP, HR)}.get(incident_id)

    async def answer_notice(self, *, command_id: str, person: str, action: ReplyAction, incident_id: str) -> Incident:
        self.asked.append((command_id, person, action.kind.value, action.number, action.reason, incident_id))
        if self.refusal is not None:
            raise self.refusal
        return ERP

    async def test_contact(self, *, command_id: str, person: str, address: str) -> Sequence[Notice]:
        if address == "wrong":
            raise LookupError(f"{person} has no such address; known: 13800000000")
        made = notice(id=f"test-{len(command_id)}", incident_id="", dispatch_id="", person=person, kind=NoticeKind.TEST,
                      number="test")  # fmt: skip
        self.notices.append(replace(made, state=NoticeState.ACCEPTED_BY_GATEWAY))
        return [made]


REFUSED = CommandRefusedError(RefusalCode.NOT_ALLOWED_NOW, "it is closed", ("comment",))

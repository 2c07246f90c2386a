"""A book of notices in memory, with the promises of model.notification.NoticeBook."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from btimd.model.notification import Notice, NoticeState
from btimd.model.units import UnixSeconds

_ORDER = {
    state: number
    for number, state in enumerate(
        (NoticeState.PENDING, NoticeState.SENDING, NoticeState.ACCEPTED_BY_GATEWAY, NoticeState.DELIVERED,
         NoticeState.FAILED, NoticeState.READ)
    )
}  # fmt: skip
"""A later word of a gateway never takes a state back; that it failed may be found out late."""


class Book:
    def __init__(self, *notices: Notice) -> None:
        self.rows = {notice.id: notice for notice in notices}

    def add(self, *notices: Notice) -> None:
        self.rows.update({notice.id: notice for notice in notices})

    def states(self) -> dict[str, str]:
        return {name: row.state.value for name, row in self.rows.items()}

    async def claim_notices(self, now: UnixSeconds, limit: int) -> Sequence[Notice]:
        due = [row for row in self.rows.values() if row.state is NoticeState.PENDING and row.due_at <= now]
        due.sort(key=lambda row: (row.priority, row.due_at))
        claimed = [replace(row, state=NoticeState.SENDING, attempts=row.attempts + 1, at=now) for row in due[:limit]]
        self.add(*claimed)
        return claimed

    async def notice_told(
        self, notice_id: str, state: NoticeState, *, provider_id: str, now: UnixSeconds, folded_into: str = ""
    ) -> None:
        row = self.rows[notice_id]
        self.add(replace(row, state=state, provider_id=provider_id, at=now, folded_into=folded_into, error=""))

    async def notice_again(self, notice_id: str, *, next_at: UnixSeconds, error: str, uncertain: bool) -> None:
        row = self.rows[notice_id]
        self.add(replace(row, state=NoticeState.PENDING, due_at=next_at, error=error, uncertain=uncertain))

    async def notice_failed(self, notice_id: str, *, error: str, now: UnixSeconds, uncertain: bool) -> None:
        row = self.rows[notice_id]
        self.add(replace(row, state=NoticeState.FAILED, error=error, at=now, uncertain=uncertain))

    async def notice_withdrawn(self, notice_id: str, now: UnixSeconds) -> None:
        self.add(replace(self.rows[notice_id], state=NoticeState.WITHDRAWN, at=now))

    async def notice_receipt(self, channel: str, provider_id: str, state: NoticeState, now: UnixSeconds) -> bool:
        found = [row for row in self.rows.values() if (row.channel, row.provider_id) == (channel, provider_id)]
        self.add(*(replace(row, state=state, at=now) for row in found if _ORDER[state] > _ORDER[row.state]))
        return bool(found)

    async def next_notice_at(self) -> UnixSeconds | None:
        return min((row.due_at for row in self.rows.values() if row.state is NoticeState.PENDING), default=None)

    async def notice_depth(self) -> Mapping[str, int]:
        return Counter(row.state.value for row in self.rows.values())

"""Tellings become notices: what the engine owes to people turns into attempts to tell them, in one transaction.

Between the two nothing is lost and nothing doubled: either the telling still stands as owed and there are no notices,
or it is done and they are there. Ids of notices are made of the telling's, so that even a repeat would be the same.
"""

import sqlite3
from collections.abc import Sequence

from btimd.model.notification import Notice
from btimd.model.units import UnixSeconds
from btimd.store import journaltables, notifications
from btimd.store.notifications import NotificationTable


class NoticeTable(NotificationTable):
    """The notices of a journal, and the way from tellings to them."""

    async def hand_over(
        self,
        telling_id: str,
        notices: Sequence[Notice],
        *,
        now: UnixSeconds,
        again_at: UnixSeconds | None = None,
        error: str = "",
    ) -> None:
        """Keep the notices of a claimed telling and record that it is in other hands.

        again_at: it is still owed and due again then, as `error` says. Raises KeyError for an unknown telling,
        ValueError for one that is not claimed; then nothing is kept.
        """

        def work(connection: sqlite3.Connection) -> None:
            notifications.add_notices(connection, notices)
            if again_at is None:
                journaltables.telling_done(connection, telling_id, now)
            else:
                journaltables.telling_failed(connection, telling_id, next_at=again_at, error=error)

        await self._run(work)

"""MaintenanceService against a fake, over a real connection."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from btimd.api.calls_maintenance import declare_maintenance, end_maintenance, maintenance, suppressed_reports
from btimd.api.client import CallFailedError, Page
from btimd.model.maintenance import (
    Matcher,
    MinuteSpan,
    NewSuppression,
    Recurrence,
    SuppressionEffect,
    SuppressionKind,
)
from tests.api.conftest import Served
from tests.fakes.maintenance import HELD, HOUR, START, VIEWS

NEW = NewSuppression(
    kind=SuppressionKind.WINDOW, effect=SuppressionEffect.INCIDENTS, matcher=Matcher(businesses=("erp",)),
    start_at=START, end_at=None, reason="nightly copies",
    recurrence=Recurrence(weekdays=(0, 6), hours=(MinuteSpan(1380, 1560),), timezone="Asia/Shanghai"),
)  # fmt: skip


async def ask(served: Served, caller: str | None, call: Any, *args: Any, **named: Any) -> Any:
    with served.client(caller) as client:
        return await asyncio.to_thread(call, client, *args, **named)


def of(name: str) -> NewSuppression:
    return NewSuppression(
        kind=SuppressionKind.SILENCE, effect=SuppressionEffect.NOTICES, matcher=Matcher(businesses=(name,)),
        start_at=START, end_at=START + HOUR, reason="x",
    )  # fmt: skip


async def test_everything_arrives_as_it_was_meant(served: Served) -> None:
    silence, window, agreed = VIEWS

    assert await ask(served, None, maintenance) == Page([window, agreed], more=False)
    assert await ask(served, None, maintenance, past=True) == Page(list(VIEWS), more=False)
    assert await ask(served, None, maintenance, SuppressionKind.SILENCE, past=True) == Page([silence], more=False)
    assert await ask(served, None, maintenance, suppression_id="S-2") == Page([silence], more=False)
    assert await ask(served, None, maintenance, limit=1) == Page([window], more=True)
    assert (await ask(served, None, suppressed_reports, "M-1", 1)) == Page([HELD], more=True)


async def test_a_manager_declares_and_ends(served: Served) -> None:
    assert await ask(served, "mona", declare_maintenance, "c1", NEW) == VIEWS[1]
    assert await ask(served, "mona", end_maintenance, "M-1", "done", void=True) == VIEWS[1]

    assert served.maintenance.declared == [(NEW, "mona", "mona/c1")]
    assert served.maintenance.ended == [("M-1", "mona", "done", True)]
    with pytest.raises(CallFailedError, match="needs manager"):
        await ask(served, "otto", declare_maintenance, "c2", NEW)
    with pytest.raises(CallFailedError, match="needs manager"):
        await ask(served, "otto", end_maintenance, "M-1")


async def test_what_cannot_be_done_is_refused(served: Served) -> None:
    for call, args, code, words in (
        (declare_maintenance, ("", NEW), "INVALID_ARGUMENT", "command_id: must be given"),
        (declare_maintenance, ("c", replace(NEW, reason="")), "INVALID_ARGUMENT", "needs a reason"),
        (end_maintenance, ("M-7",), "NOT_FOUND", "there is no window or silence 'M-7'"),
        (end_maintenance, ("bank/1",), "FAILED_PRECONDITION", "stands in btimd.toml"),
        (maintenance, (None,), "INVALID_ARGUMENT", "limit: 1001"),
    ):
        named = {"limit": 1001} if call is maintenance else {}
        with pytest.raises(CallFailedError, match=words) as told:
            await ask(served, "mona", call, *args, **named)
        assert told.value.code == code


async def test_a_token_with_a_scope_sees_what_touches_its_part_and_changes_what_lies_in_it(served: Served) -> None:
    """The scope of sven is the business erp; the node line1 matters to hr only."""
    silence, window, _ = VIEWS
    assert await ask(served, "sven", maintenance, past=True) == Page([silence, window], more=False)
    assert [one.businesses for one in (await ask(served, "sven", suppressed_reports)).items] == [("erp",)]
    await ask(served, "sven", declare_maintenance, "c1", of("erp"))
    everywhere = replace(of("erp"), matcher=Matcher(regions=("north",)))
    for call, args, code in (
        (declare_maintenance, ("c2", of("hr")), "PERMISSION_DENIED"),
        (declare_maintenance, ("c3", replace(of("erp"), matcher=Matcher(nodes=("line1",)))), "PERMISSION_DENIED"),
        (declare_maintenance, ("c4", everywhere), "PERMISSION_DENIED"),
        (end_maintenance, ("bank/1",), "NOT_FOUND"),
    ):
        with pytest.raises(CallFailedError) as told:
            await ask(served, "sven", call, *args)
        assert told.value.code == code
    assert [new.matcher.businesses for new, _, _ in served.maintenance.declared] == [("erp",)]

"""AgreementsService against a fake, over a real connection."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from btimd.api.calls_agreements import (
    agreements,
    calendar,
    contributions,
    periods,
    revise_account,
    revisions,
    standings,
    statement,
)
from btimd.api.client import CallFailedError, Page
from btimd.model.agreement import OutageChange
from btimd.model.sla import Availability
from tests.api.conftest import Served
from tests.fakes.levels import (
    BEFORE,
    CONTRIBUTION,
    DAY,
    ENTRY,
    FIGURES,
    OF_HR,
    OFFICE,
    QUIET,
    SLA,
    STANDING,
    START,
    UC,
)

PLANNED = OutageChange(planned=True, availability=Availability.DOWN, users=0, supplier="")


async def ask(served: Served, caller: str | None, call: Any, *args: Any, **named: Any) -> Any:
    with served.client(caller) as client:
        return await asyncio.to_thread(call, client, *args, **named)


async def test_everything_arrives_as_it_was_meant(served: Served) -> None:
    assert await ask(served, None, agreements) == Page([SLA, UC], more=False)
    assert (await ask(served, None, standings)).items[0] == STANDING
    assert await ask(served, None, standings, "line") == Page([QUIET], more=False)
    assert await ask(served, None, periods, "bank") == Page([BEFORE, FIGURES, OF_HR], more=False)
    assert await ask(served, None, periods, "bank", "hr") == Page([OF_HR], more=False)
    assert await ask(served, None, contributions, "bank") == Page([CONTRIBUTION], more=False)
    assert await ask(served, None, statement, "bank", "zh", at=START) == "The promise is kept."
    assert await ask(served, None, revisions) == Page([ENTRY], more=False)
    assert await ask(served, None, calendar, "office", START, 2) == (OFFICE, ("always", "office"))
    assert served.levels.asked == [("bank", "erp", 12), ("bank", "erp", START, "zh"), ("office", START, 2)]


async def test_a_revision_is_made_by_a_manager_in_the_name_of_the_token(served: Served) -> None:
    entry = await ask(served, "mona", revise_account, "c1", "erp", START, START + DAY, PLANNED, "change 4711")

    assert (entry.revision.by, entry.revision.change, entry.revision.why) == ("mona", PLANNED, "change 4711")
    assert served.levels.revised == [entry]
    with pytest.raises(CallFailedError, match="this call needs manager"):
        await ask(served, "otto", revise_account, "c2", "erp", START, START + DAY, PLANNED, "change 4711")
    with pytest.raises(CallFailedError, match="needs a token"):
        await ask(served, None, revise_account, "c3", "erp", START, START + DAY, PLANNED, "change 4711")


@pytest.mark.parametrize(
    ("call", "args", "named", "code", "words"),
    [
        (standings, ("nope",), {}, "NOT_FOUND", "there is no agreement 'nope'"),
        (periods, ("nope",), {}, "NOT_FOUND", "there is no agreement 'nope'"),
        (periods, ("",), {}, "INVALID_ARGUMENT", "agreement: must be given"),
        (contributions, ("bank", None, -1), {}, "INVALID_ARGUMENT", "periods: -1 is not from 0 to 1000"),
        (statement, ("bank", "fr"), {}, "INVALID_ARGUMENT", "language: 'fr' is none of en, zh"),
        (statement, ("bank", "en"), {"at": 0.0}, "NOT_FOUND", "there is no subject or period 'bank'"),
        (calendar, ("nope",), {}, "NOT_FOUND", "there is no calendar 'nope'"),
        (calendar, ("office", None, 401), {}, "INVALID_ARGUMENT", "days: 401 is not from 0 to 400"),
        (revise_account, ("", "erp", 1.0, 2.0, PLANNED, "x"), {}, "INVALID_ARGUMENT", "command_id: must be given"),
        (revise_account, ("c", "erp", 1.0, 2.0, PLANNED, " "), {}, "INVALID_ARGUMENT", "why: must be given"),
        (revise_account, ("c", "hr", 1.0, 2.0, PLANNED, "x"), {}, "INVALID_ARGUMENT", "no business 'hr' is accounted"),
        (
            revise_account, ("c", "erp", 1.0, 2.0, OutageChange(), "x"), {}, "INVALID_ARGUMENT", "change: says nothing",
        ),
        (
            revise_account, ("c", "erp", 1.0, 2.0, OutageChange(users=-1), "x"), {}, "INVALID_ARGUMENT", "less than nobody",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_refused(
    served: Served, call: Any, args: tuple[Any, ...], named: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(CallFailedError, match=words) as told:
        await ask(served, "mona", call, *args, **named)

    assert told.value.code == code


async def test_a_token_with_a_scope_sees_what_touches_its_businesses(served: Served) -> None:
    """The scope of sven is the business erp; the line matters to hr only."""
    assert await ask(served, "sven", agreements) == Page([SLA], more=False)
    assert await ask(served, "sven", standings) == Page([STANDING], more=False)
    assert await ask(served, "sven", periods, "bank") == Page([BEFORE, FIGURES], more=False)
    (entry,) = (await ask(served, "sven", revisions)).items
    assert entry == replace(ENTRY, effects=ENTRY.effects[:1])
    await ask(served, "sven", contributions, "bank")
    assert served.levels.asked == [("bank", "erp", 12)]
    for call, args in (
        (standings, ("line",)),
        (periods, ("bank", "hr")),
        (contributions, ("line",)),
        (revise_account, ("c", "hr", 1.0, 2.0, PLANNED, "x")),
    ):
        with pytest.raises(CallFailedError) as told:
            await ask(served, "sven", call, *args)
        assert told.value.code == "NOT_FOUND"

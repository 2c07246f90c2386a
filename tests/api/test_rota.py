"""RotaService against a fake, over a real connection."""

import asyncio
from typing import Any

import pytest

from btimd.api.calls_rota import export_rota, rota_calendars
from btimd.api.client import CallFailedError
from tests.api.conftest import Served
from tests.fakes.rota import CALENDARS, GAP


async def ask(served: Served, caller: str | None, call: Any, *args: Any) -> Any:
    with served.client(caller) as client:
        return await asyncio.to_thread(call, client, *args)


async def test_calendars_are_for_handlers(served: Served) -> None:
    assert (await ask(served, "otto", export_rota, "noc", 100.0, 7)).startswith("BEGIN:VCALENDAR\r\n")
    assert await ask(served, "otto", rota_calendars) == (list(CALENDARS), (GAP,))
    assert served.rota.asked == [("noc", 100.0, 7)]
    for caller in ("vera", None, "sven"):
        with pytest.raises(CallFailedError):
            await ask(served, caller, export_rota, "noc")


async def test_what_cannot_be_written_is_refused(served: Served) -> None:
    for args, code in (
        (("nope",), "NOT_FOUND"),
        (("",), "INVALID_ARGUMENT"),
        (("noc", None, 367), "INVALID_ARGUMENT"),
        (("noc", 9e9), "INVALID_ARGUMENT"),
    ):
        with pytest.raises(CallFailedError) as told:
            await ask(served, "otto", export_rota, *args)
        assert told.value.code == code

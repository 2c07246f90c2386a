"""Looks at the enterprise from outside, level by level, the way a person with curl, dig and psql would."""

import asyncio
from collections.abc import Awaitable
from random import Random

from btimd.lab.database import DatabaseSession, QueryError
from btimd.lab.enterprise import Enterprise
from btimd.lab.http import exchange
from btimd.lab.nameserver import Lookup, lookup
from btimd.lab.settings import LabSettings
from btimd.lab.topology import BUSINESSES, DATABASES, DNS, HOSTS, agent_of, host_name_of

# Far enough apart for a busy machine, near enough for a test.
QUICK = LabSettings(
    users_per_segment=1,
    think_seconds=0.05,
    slow_seconds=0.5,
    application_patience_seconds=0.8,
    web_patience_seconds=1.2,
    user_patience_seconds=2.5,
    name_patience_seconds=0.6,
    flush_seconds=0.02,
)
SILENCE_SECONDS = 1.7
WELL = "ok"


async def ask_name(enterprise: Enterprise, name: str) -> Lookup:
    return await lookup(
        name, server=enterprise.endpoint(DNS), source="127.11.9.9", chance=Random(1), patience=SILENCE_SECONDS
    )


async def get(endpoint: tuple[str, int], target: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(*endpoint, local_addr=("127.11.9.9", 0))
    try:
        answer = await exchange(reader, writer, host="test.lab.example", target=target)
        return answer.status, answer.body
    finally:
        writer.close()
        await writer.wait_closed()


async def _name(enterprise: Enterprise, name: str, expected: str) -> str:
    found = await ask_name(enterprise, name)
    if found.address is None:
        return "refused" if "refused" in found.failure else found.failure
    return WELL if found.address == expected else f"wrong: {found.address}"


async def _page(enterprise: Enterprise, business: str, port: int) -> str:
    found = await ask_name(enterprise, f"{business}.lab.example")
    return "no address" if found.address is None else await _status((found.address, port), "/page?id=1")


async def _status(endpoint: tuple[str, int], target: str) -> str:
    status, _ = await get(endpoint, target)
    return WELL if status == 200 else f"HTTP {status}"


async def _sql(endpoint: tuple[str, int]) -> str:
    session = await DatabaseSession.open(*endpoint, local="127.11.9.9", user="test", database="business")
    try:
        return WELL if await session.value("SELECT 1") == "1" else "wrong"
    finally:
        session.close()


async def _banner(endpoint: tuple[str, int]) -> str:
    reader, writer = await asyncio.open_connection(*endpoint)
    try:
        return WELL if b"agent ready" in await reader.read() else "wrong"
    finally:
        writer.close()
        await writer.wait_closed()


async def _outcome(question: Awaitable[str], slow_seconds: float) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            outcome = await question
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except QueryError as problem:
        return f"SQLSTATE {problem.code}"
    return "slow" if outcome == WELL and loop.time() - began >= slow_seconds else outcome


async def observe(enterprise: Enterprise) -> dict[str, str]:
    """Return what differs from an enterprise where all is well."""
    questions: dict[str, Awaitable[str]] = {
        "dns1": _name(enterprise, host_name_of(DNS), enterprise.endpoint(DNS)[0]),
    }
    for business in BUSINESSES:
        web, app = enterprise.endpoint(business.web), enterprise.endpoint(business.application)
        questions |= {
            f"name-{business.id}": _name(enterprise, business.host_name, web[0]),
            f"{business.id} page": _page(enterprise, business.id, web[1]),
            f"{business.web.id} alive": _status(web, "/alive"),
            f"{business.application.id} data": _status(app, "/data?id=1"),
            f"{business.application.id} alive": _status(app, "/alive"),
        }
    questions |= {f"{plan.id} sql": _sql(enterprise.endpoint(plan)) for plan in DATABASES}
    questions |= {f"{host.id} agent": _banner(enterprise.endpoint(agent_of(host))) for host in HOSTS}
    slow = enterprise.settings.slow_seconds
    outcomes = await asyncio.gather(*(_outcome(question, slow) for question in questions.values()))
    return {name: outcome for name, outcome in zip(questions, outcomes, strict=True) if outcome != WELL}

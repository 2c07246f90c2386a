"""kill -9 of the whole daemon, at moments that hurt: no incident is lost, none is told twice, the stores open again."""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.api.client import Client
from btimd.daemon.addresses import Addresses, read_addresses
from btimd.lab.config import Webhook, write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.receiver import Behaviour, WebhookReceiver
from btimd.model.incident import IncidentState
from btimd.model.points import SeriesQuery
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

SECRET = "the secret of this story"


@contextlib.asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Addresses]]:
    """Run `btimd run` until the block ends or kills it; yields once it is ready."""
    (folder / "state" / "addresses.json").unlink(missing_ok=True)
    with (folder / "btimd.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "btimd", "run", "-c", str(folder), stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (addresses := read_addresses(folder / "state")) is None:
                assert process.returncode is None, (folder / "btimd.log").read_text()
                await asyncio.sleep(0.05)
        yield process, addresses
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


def client_of(folder: Path, addresses: Addresses) -> Client:
    token = (folder / "state" / "token").read_text(encoding="ascii").strip()
    return Client("{}:{}".format(*addresses.grpc), token=token)


async def wait_for_incident(folder: Path, addresses: Addresses) -> str:
    with client_of(folder, addresses) as client:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = client.incidents().items
                if found:
                    return found[0].id
                await asyncio.sleep(0.02)


async def test_killed_while_it_owes_messages_it_keeps_the_incident_and_tells_each_event_once(tmp_path: Path) -> None:
    receiver = WebhookReceiver(SECRET)
    await receiver.start()
    try:
        async with Enterprise() as enterprise:
            file = write_configuration(tmp_path, enterprise, Webhook(receiver.url, SECRET))
            file.write_text(file.read_text(encoding="utf-8") + '\n[itsm]\nsettle = "1s"\nbackoff_cap = "2s"\n')
            await receiver.become(Behaviour.ERROR)  # the ticket system is out of order: everything is owed
            async with daemon(tmp_path) as (process, addresses):
                await enterprise.inject("db-dead")
                incident_id = await wait_for_incident(tmp_path, addresses)
                await kill(process)
            async with daemon(tmp_path) as (process, addresses):
                assert await wait_for_incident(tmp_path, addresses) == incident_id
                await kill(process)
            await receiver.become(Behaviour.ACCEPT)
            async with daemon(tmp_path) as (process, addresses):
                await receiver.wait_for(1, PATIENCE_SECONDS)
                await kill(process)
            await enterprise.heal()
            async with daemon(tmp_path) as (_, addresses):
                with client_of(tmp_path, addresses) as client:
                    await resolved(client, incident_id)
                    everything = client.incidents(include_closed=True).items
                    timeline = client.incident(incident_id)[1]
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while receiver.deliveries[-1].event["type"] != "io.btimd.incident.resolved.v1":
                        await receiver.wait_for(len(receiver.deliveries) + 1, PATIENCE_SECONDS)
    finally:
        await receiver.stop()

    assert [incident.id for incident in everything] == [incident_id]
    assert [event.seq for event in timeline] == list(range(1, len(timeline) + 1))
    delivered = [delivery.event for delivery in receiver.deliveries]
    assert max(Counter(event["id"] for event in delivered).values()) == 1
    assert {event["subject"] for event in delivered} == {incident_id}
    sequence = [int(event["sequence"]) for event in delivered]
    assert sequence == sorted(sequence)
    assert delivered[0]["type"] == "io.btimd.incident.opened.v1"
    # The message that was under way at the third kill came again, with the same id, so that the receiver knew it.
    assert receiver.duplicates <= 1


async def test_killed_while_it_writes_windows_it_opens_its_series_again_and_goes_on(tmp_path: Path) -> None:
    async with Enterprise() as enterprise:
        write_configuration(tmp_path, enterprise)
        async with daemon(tmp_path) as (process, addresses):
            await enterprise.start_users(addresses.capture[0])
            with client_of(tmp_path, addresses) as client:
                kept = await traffic(client)
            await kill(process)
            await enterprise.stop_users()
        async with daemon(tmp_path) as (_, addresses):
            with client_of(tmp_path, addresses) as client:
                assert (client.history(QUERY).items[0].values[0] or 0) >= kept


async def resolved(client: Client, incident_id: str) -> None:
    def follow() -> None:
        for _ in client.watch_incidents():
            if client.incident(incident_id)[0].state is IncidentState.RESOLVED:
                return

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.to_thread(follow)


QUERY = SeriesQuery(
    measurement="btimd_traffic",
    fields=("octets_to_client",),
    from_milliseconds=0,
    to_milliseconds=1 << 52,
    where={"interval": "10s"},
)


async def traffic(client: Client) -> float:
    """Return the octets in the series store, once there are some."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            rows = client.history(QUERY).items
            if rows and rows[0].values[0]:
                return rows[0].values[0]
            await asyncio.sleep(0.2)

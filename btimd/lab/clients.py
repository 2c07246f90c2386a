"""Users: they look a business's name up, open a connection, read some pages, think, and come back.

Each user has an address of their own, works from a seeded source of chance, and is metered by the kernel.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from btimd.lab.http import HttpError, exchange
from btimd.lab.meter import (
    PROTOCOL_UDP,
    STATE_SYN_SENT,
    Conversation,
    End,
    FlowRecord,
    connection_flows,
    datagram_flows,
    read_tcp_info,
)
from btimd.lab.nameserver import lookup
from btimd.lab.settings import LabSettings
from btimd.lab.topology import BUSINESS, SEGMENTS
from btimd.model.units import Seconds
from btimd.runtime.clock import Clock, wall_milliseconds

_IP_BIND_ADDRESS_NO_PORT: Final = 24
"""Linux option that leaves the choice of the source port to connect(); socket has no name for it before 3.12."""
_MAX_PAGES: Final = 3
_PAGE_OCTETS: Final = (700, 2_000, 6_000, 20_000, 60_000)
_PAGE_WEIGHTS: Final = (30, 30, 25, 12, 3)
_PAUSE_BETWEEN_PAGES: Final = (0.05, 0.4)
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A user on paper: where they sit and what they work with. name is empty for most."""

    address: str
    region: str
    segment: str
    businesses: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the enterprise listens: the name server, and each business's web port."""

    name_server: tuple[str, int]
    web_ports: dict[str, int]


@dataclass(slots=True)
class Experience:
    """How a business has been for its users: pages that came, visits that failed, and how the last failure read."""

    pages: int = 0
    page_octets: int = 0
    failures: int = 0
    last_failure: str = ""
    reasons: dict[str, int] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        """Count a visit that failed. `reason` comes from a small fixed set of texts."""
        self.failures += 1
        self.last_failure = reason
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


def people(users_per_segment: int) -> tuple[Person, ...]:
    """Return everybody who works in the enterprise."""
    return tuple(
        Person(
            segment.address(number),
            segment.region,
            segment.name,
            segment.businesses,
            segment.people[number] if number < len(segment.people) else "",
        )
        for segment in SEGMENTS
        for number in range(users_per_segment)
    )


class User:
    """One person at work. `meter` takes the flow records of everything they did."""

    def __init__(
        self,
        person: Person,
        addresses: Addresses,
        settings: LabSettings,
        *,
        clock: Clock,
        meter: Callable[[Iterable[FlowRecord]], None],
        experience: dict[str, Experience],
    ) -> None:
        self.person = person
        self._addresses = addresses
        self._settings = settings
        self._clock = clock
        self._meter = meter
        self._experience = experience
        # Seeding with text is stable across processes and gives each user an own sequence.
        self._chance = Random(f"{settings.seed}/{person.address}")

    async def work(self) -> None:
        """Visit businesses until cancelled."""
        await asyncio.sleep(self._chance.uniform(0, self._settings.think_seconds))
        while True:
            await self.visit(self._choose())
            await asyncio.sleep(self._think())

    async def visit(self, business: str) -> bool:
        """Look the business up and read a few pages; tell whether everything came. Metered, also when it fails."""
        experience = self._experience.setdefault(business, Experience())
        address = await self._find(business, experience)
        if address is None:
            return False
        reason = await self._browse(business, address, experience)
        if reason:
            experience.fail(reason)
        return not reason

    def _choose(self) -> str:
        weights = [2.0**-rank for rank in range(len(self.person.businesses))]
        return self._chance.choices(self.person.businesses, weights)[0]

    def _think(self) -> Seconds:
        """Draw a pause: exponential, but neither a burst nor an absence of minutes."""
        mean = self._settings.think_seconds
        return min(max(self._chance.expovariate(1 / mean), mean / 10), mean * 4)

    async def _find(self, business: str, experience: Experience) -> str | None:
        server, port = self._addresses.name_server
        start = wall_milliseconds(self._clock)
        found = await lookup(
            BUSINESS[business].host_name,
            server=(server, port),
            source=self.person.address,
            chance=self._chance,
            patience=self._settings.name_patience_seconds,
        )
        conversation = Conversation(
            self.person.address, found.source_port, server, port, start, wall_milliseconds(self._clock), ""
        )
        flows = datagram_flows(
            conversation,
            sent=found.queries,
            sent_octets=found.query_octets,
            received=found.answers,
            received_octets=found.answer_octets,
        )
        self._meter(flow for flow in flows if flow.protocol == PROTOCOL_UDP)
        if found.address is None:
            experience.fail(f"name: {found.failure}")
        return found.address

    async def _browse(self, business: str, address: str, experience: Experience) -> str:
        """Hold one connection; return why it failed, or nothing."""
        start = wall_milliseconds(self._clock)
        port = self._addresses.web_ports[business]
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # The transport closes its socket as soon as the peer resets; the copy keeps the kernel's figures within reach.
        counter = sock.dup()
        end, reason = End.LEFT, ""
        writer: asyncio.StreamWriter | None = None
        try:
            sock.settimeout(0.0)
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((self.person.address, 0))
            async with asyncio.timeout(self._settings.user_patience_seconds):
                await asyncio.get_running_loop().sock_connect(sock, (address, port))
                reader, writer = await asyncio.open_connection(sock=sock)
                reason = await self._read_pages(business, reader, writer, experience)
                if not reason and not await reader.read(1):
                    end = End.PEER_CLOSED  # asked for with "Connection: close" on the last page
        except TimeoutError:
            reason = "page: no answer"
        except ConnectionRefusedError:
            end, reason = End.REFUSED, "connection refused"
        except ConnectionError:
            end, reason = End.PEER_RESET, "page: connection lost"
        except (EOFError, HttpError):
            end, reason = End.PEER_CLOSED, "page: connection lost"
        except OSError as problem:
            reason = f"page: {problem.strerror}"
        finally:
            self._account(counter, start, business, (address, port), end)
            counter.close()
            await _close(sock, writer)
        return reason

    async def _read_pages(
        self, business: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, experience: Experience
    ) -> str:
        count = self._chance.randint(1, _MAX_PAGES)
        for number in range(1, count + 1):
            size = self._chance.choices(_PAGE_OCTETS, _PAGE_WEIGHTS)[0]
            target = f"/page?id={self._chance.randint(1, 9999)}&size={size}"
            answer = await exchange(
                reader, writer, host=BUSINESS[business].host_name, target=target, keep_alive=number < count
            )
            if answer.status != _OK:
                return f"page: HTTP {answer.status}"
            experience.pages += 1
            experience.page_octets += len(answer.body)
            if number < count:
                await asyncio.sleep(self._chance.uniform(*_PAUSE_BETWEEN_PAGES))
        return ""

    def _account(self, counter: socket.socket, start: int, business: str, server: tuple[str, int], end: End) -> None:
        """Say good-bye, read the kernel's figures and hand the flow records to the meter."""
        info = read_tcp_info(counter)
        address, source_port = counter.getsockname()
        conversation = Conversation(
            address, source_port, *server, start, wall_milliseconds(self._clock), business
        )  # fmt: skip
        if info.state != STATE_SYN_SENT:  # there a good-bye would only wipe the kernel's figures
            with contextlib.suppress(OSError):  # not connected any more
                counter.shutdown(socket.SHUT_WR)
            info = read_tcp_info(counter)
        self._meter(connection_flows(conversation, info, end))


async def _close(sock: socket.socket, writer: asyncio.StreamWriter | None) -> None:
    if writer is None:
        sock.close()
        return
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()

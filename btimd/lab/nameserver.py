"""The enterprise's name server, and the lookup its users and servers do over UDP."""

import asyncio
import socket
from dataclasses import dataclass
from random import Random
from typing import Final, cast

from typing_extensions import override

from btimd.lab.dnswire import (
    TYPE_A,
    TYPE_ANY,
    DnsError,
    Rcode,
    decode_answer,
    decode_question,
    encode_answer,
    encode_question,
)
from btimd.lab.faults import Condition, RecordCondition
from btimd.lab.process import bind_again, bind_free
from btimd.lab.topology import BUSINESS, GATEWAY_ADDRESS, HOST_ADDRESS, ZONE, ProcessPlan
from btimd.model.units import Seconds

_MAX_DATAGRAM_OCTETS: Final = 4096
LOOKUP_TRIES: Final = 2


class LookupFailedError(OSError):
    """A name could not be resolved."""


class NameServer(asyncio.DatagramProtocol):
    """Authoritative for the lab's zone. `ignored` counts datagrams that were no DNS query."""

    def __init__(self, plan: ProcessPlan, slow_seconds: Seconds, names: dict[str, str]) -> None:
        self.plan = plan
        self.address = HOST_ADDRESS[plan.host]
        self.port = 0
        self.condition = Condition.DEAD
        self.served = 0
        self.ignored = 0
        self._slow_seconds = slow_seconds
        self._names = names
        self._broken: dict[str, RecordCondition] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._delayed: set[asyncio.TimerHandle] = set()

    async def start(self) -> None:
        """Take questions; the process is well afterwards."""
        if self.port:
            sock = await bind_again(self.address, self.port, socket.SOCK_DGRAM)
        else:
            sock = bind_free(self.address, self.plan.port, socket.SOCK_DGRAM)
            self.port = sock.getsockname()[1]
        self._closed.clear()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=sock)
        self._transport = transport
        self.condition = Condition.WELL

    async def stop(self) -> None:
        """End as a killed process does. May be called twice."""
        self.condition = Condition.DEAD
        for handle in self._delayed:
            handle.cancel()
        self._delayed.clear()
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
            await self._closed.wait()

    async def become(self, condition: Condition) -> None:
        """Change to a condition."""
        if condition is self.condition:
            return
        if condition is Condition.DEAD:
            await self.stop()
            return
        if self._transport is None:
            await self.start()
        self.condition = condition

    def break_records(self, broken: dict[str, RecordCondition]) -> None:
        """Set which businesses' names are broken, and how; the others are well."""
        self._broken = {BUSINESS[business].host_name: condition for business, condition in broken.items()}

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.condition in {Condition.HUNG, Condition.SILENT}:
            return
        try:
            answer = self.answer(data)
        except DnsError:
            self.ignored += 1
            return
        if self.condition is not Condition.SLOW:
            self._send(answer, addr)
            return
        handle: asyncio.TimerHandle

        def send_late() -> None:
            self._delayed.discard(handle)
            self._send(answer, addr)

        handle = asyncio.get_running_loop().call_later(self._slow_seconds, send_late)
        self._delayed.add(handle)

    def answer(self, query: bytes) -> bytes:
        """Return the answer to a query; raises DnsError for what is none."""
        question = decode_question(query)
        if not question.is_standard_query:
            return encode_answer(question, Rcode.NOTIMP, zone=ZONE)
        if question.name != ZONE and not question.name.endswith("." + ZONE):
            return encode_answer(question, Rcode.REFUSED, zone=ZONE)
        if self.condition is Condition.ERROR:
            return encode_answer(question, Rcode.SERVFAIL, zone=ZONE)
        broken = self._broken.get(question.name)
        address = self._names.get(question.name)
        if broken is RecordCondition.WRONG:
            address = GATEWAY_ADDRESS
        if (address is None and question.name != ZONE) or broken is RecordCondition.GONE:
            return encode_answer(question, Rcode.NXDOMAIN, zone=ZONE)
        asked = address is not None and question.type in {TYPE_A, TYPE_ANY}
        return encode_answer(question, Rcode.NOERROR, zone=ZONE, addresses=(cast("str", address),) if asked else ())

    def _send(self, answer: bytes, address: tuple[str, int]) -> None:
        if self._transport is not None:
            self.served += 1
            self._transport.sendto(answer, address)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What became of one lookup, with what went over the wire.

    address: None where the name has none. failure: empty where it was resolved. Octets are of the DNS messages.
    """

    address: str | None
    failure: str
    source_port: int
    queries: int
    query_octets: int
    answers: int
    answer_octets: int


async def lookup(name: str, *, server: tuple[str, int], source: str, chance: Random, patience: Seconds) -> Lookup:
    """Ask a name server for a name's address from address `source`, twice at most, `patience` seconds altogether."""
    loop = asyncio.get_running_loop()
    query = encode_question(chance.getrandbits(16), name)
    queries = answers = answer_octets = 0
    address, failure = None, "no answer from the name server"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.0)
        sock.bind((source, 0))
        source_port = sock.getsockname()[1]
        try:
            sock.connect(server)
            for _ in range(LOOKUP_TRIES):
                queries += 1
                sock.send(query)
                try:
                    async with asyncio.timeout(patience / LOOKUP_TRIES):
                        data = await loop.sock_recv(sock, _MAX_DATAGRAM_OCTETS)
                except TimeoutError:
                    continue
                answers, answer_octets = 1, len(data)
                answer = decode_answer(data)
                failure = "" if answer.addresses else Rcode(answer.rcode).name
                address = answer.addresses[0] if answer.addresses else None
                break
        except (OSError, ValueError) as problem:
            failure = f"no name server: {problem}"
    return Lookup(address, failure, source_port, queries, queries * len(query), answers, answer_octets)


class Resolver:
    """Resolves names for servers, which look up rarely and are not metered."""

    def __init__(self, server: NameServer, chance: Random, patience: Seconds) -> None:
        self._server = server
        self._chance = chance
        self._patience = patience

    async def resolve(self, name: str, source: str) -> str:
        """Return the address of a name; raises LookupFailedError."""
        found = await lookup(
            name,
            server=(self._server.address, self._server.port),
            source=source,
            chance=self._chance,
            patience=self._patience,
        )
        if found.address is None:
            raise LookupFailedError(f"cannot resolve {name}: {found.failure}")
        return found.address

"""Walks a path hop by hop, as an ordinary user where the system lets one: the kernel's error queue names the hops.

All packets of a walk are one flow (addresses, ports, and with ICMP the checksum stay the same), so that routers that
spread flows over several lines send them all the same way (the idea of Paris traceroute, Augustin et al., IMC 2006).
"""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import MonotonicSeconds, Seconds
from btimd.probes.errorqueue import hear_errors, read_error, set_hops
from btimd.probes.hops import judge
from btimd.probes.transport import SystemResolver
from btimd.probes.walks import PathErrand, Walk, WalkMethod, tag_of_echo, tagged_echo, tagged_payload, untagged
from btimd.probes.wire.dialogue import AnswerError, LocalFailure, Outcome, Resolved, is_address
from btimd.probes.wire.icmp import ICMP_FIX, without_ipv4_header
from btimd.probes.wire.icmperror import IcmpError, Told

_PACE_SECONDS: Final = 0.004
_ROUND_SECONDS: Final = 0.05
_HOP_WAIT_SECONDS: Final = 0.25
_LAST_WAIT_SECONDS: Final = 0.4
_SYN_WAIT_SECONDS: Final = 0.4
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_MOST_READ: Final = 64  # per call, so that a flood of strangers' packets starves nobody
_IP_HEADERS: Final = {socket.AF_INET: 28, socket.AF_INET6: 48}


@dataclass(frozen=True, slots=True)
class Heard:
    """Something came back: an ICMP error or, with error None, an answer of the target. tag: whose, None = not told."""

    tag: int | None
    error: IcmpError | None
    at: MonotonicSeconds


def open_flow(family: int, method: WalkMethod) -> tuple[socket.socket, bool]:
    """Return a socket with its error queue switched on, and whether it is a raw one. Raises OSError."""
    raw = False
    if method is WalkMethod.ICMP:
        protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        try:
            opened = socket.socket(family, socket.SOCK_DGRAM, protocol)
        except OSError:  # the group range forbids it, or an old kernel: raw decides
            opened, raw = socket.socket(family, socket.SOCK_RAW, protocol), True
    else:
        kind = socket.SOCK_DGRAM if method is WalkMethod.UDP else socket.SOCK_STREAM
        opened = socket.socket(family, kind)
    opened.setblocking(False)  # noqa: FBT003  the library's own signature
    hear_errors(opened)
    return opened, raw


@dataclass(slots=True)
class Flow:
    """One UDP or ICMP flow to a target: sends packets with tags and tells what comes back."""

    method: WalkMethod
    opened: socket.socket
    raw: bool
    identifier: int
    now: Callable[[], MonotonicSeconds]
    heard: list[Heard] = field(default_factory=list)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    octets: int = 0

    @property
    def is_v6(self) -> bool:
        """Tell whether packets are IPv6."""
        return self.opened.family == socket.AF_INET6

    def send(self, tag: int, *, filler: int = 0) -> bool:
        """Send a packet; False where this machine cannot (what the network said of an earlier one is no reason)."""
        if self.method is WalkMethod.UDP:
            data = tagged_payload(tag, filler)
        else:
            data = tagged_echo(self.is_v6, self.identifier, tag, filler)
        for _ in range(3):
            try:
                self.opened.send(data)
            except OSError as error:
                self.read()
                if error.errno == errno.EMSGSIZE:
                    return False
                continue
            self.octets += len(data) + _IP_HEADERS[self.opened.family] - (0 if self.method is WalkMethod.UDP else 8)
            return True
        return False

    def read(self) -> None:
        """Take in what came back; called by the loop."""
        at = self.now()
        for _ in range(_MOST_READ):
            found = read_error(self.opened)
            if found is None:
                break
            quoted, error = found
            if self.method is WalkMethod.UDP:
                tag = untagged(quoted)
            else:
                tag = tag_of_echo(quoted, self.identifier if self.raw else None)
                if tag is None and self.raw:
                    continue  # a raw socket hears of everybody's echoes
            self._hear(Heard(tag, error, at), len(quoted))
        for _ in range(_MOST_READ):
            try:
                data = self.opened.recv(2048)
            except BlockingIOError:
                break
            except OSError:
                continue  # it was in the error queue too
            self._answer(data, at)

    def _answer(self, data: bytes, at: MonotonicSeconds) -> None:
        if self.method is WalkMethod.UDP:
            self._hear(Heard(untagged(data), None, at), len(data))
            return
        if self.raw and self.opened.family == socket.AF_INET:
            try:
                data = without_ipv4_header(data)
            except AnswerError:
                return
        tag = tag_of_echo(data, self.identifier if self.raw else None, reply=True)
        if tag is not None:
            self._hear(Heard(tag, None, at), len(data))

    def _hear(self, found: Heard, length: int) -> None:
        self.heard.append(found)
        self.octets += length + _IP_HEADERS[self.opened.family]
        self.wake.set()

    async def wait(self, seconds: Seconds) -> None:
        """Wait until something comes back, at most so long."""
        if not self.wake.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, seconds)):
                    await self.wake.wait()
        self.wake.clear()


@contextlib.asynccontextmanager
async def flow_to(address: str, port: int, method: WalkMethod, identifier: int) -> AsyncIterator[Flow]:
    """Open a flow to an address and close it again. Raises OSError."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened, raw = open_flow(family, method)
    try:
        opened.connect((address, port if method is WalkMethod.UDP else 0))
        flow = Flow(method, opened, raw, identifier, loop.time)
        loop.add_reader(opened, flow.read)
        try:
            yield flow
        finally:
            loop.remove_reader(opened)
    finally:
        opened.close()


async def address_of(host: str, resolver: SystemResolver) -> str | Outcome:
    """Return the address of a host, or how the probe ends where there is none."""
    if is_address(host):
        return host
    found = await resolver.resolve(host)
    if isinstance(found, Resolved) and found.addresses:
        return found.addresses[0]
    if isinstance(found, LocalFailure):
        return Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, found.reason)
    return Outcome(Health.BAD, ErrorClass.NAME_ERROR, f"the system's resolver does not know {host}")


def local_outcome(error: OSError) -> Outcome:
    """Return what it means that a flow could not be opened."""
    if isinstance(error, PermissionError):
        return Outcome(Health.UNKNOWN, ErrorClass.NOT_PERMITTED, ICMP_FIX)
    if error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        reason = f"this machine has no way there: {(error.strerror or '').lower()}"
        return Outcome(Health.BAD, ErrorClass.UNREACHABLE, reason)
    return Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, f"this machine cannot send the probe: {error.strerror}")


class PathRunner:
    """Carries path checks out (errands.Runner)."""

    def __init__(self) -> None:
        self._resolver = SystemResolver()

    async def run(self, errand: PathErrand, within_seconds: Seconds) -> Outcome:
        """Walk the path and judge it; every packet and the whole walk are bounded."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 0.95 * within_seconds
        address = await address_of(errand.host, self._resolver)
        if isinstance(address, Outcome):
            return address
        walk = Walk(address, errand.max_hops)
        try:
            if errand.method is WalkMethod.TCP:
                octets = await _walk_syn(errand, address, walk, deadline)
            else:
                async with flow_to(address, errand.port, errand.method, errand.token & 0xFFFF) as flow:
                    await _walk_flow(flow, errand, walk, deadline)
                    octets = flow.octets
        except OSError as error:
            return local_outcome(error)
        found = judge(errand.host, errand.port, walk.hops(), errand.limits, reached=walk.length is not None)
        return Outcome(found.health, found.error, found.detail, {**found.values, "octets": float(octets)})


async def _walk_flow(flow: Flow, errand: PathErrand, walk: Walk, deadline: MonotonicSeconds) -> None:
    """Find the length of the path with one packet per hop, some hops ahead of what was heard; then send the rest."""
    quiet_since = flow.now()
    number = 1
    while number <= walk.last_useful and flow.now() < deadline:
        if number <= walk.furthest + errand.ahead:
            _send(flow, walk, number)
            number += 1
            await flow.wait(_PACE_SECONDS)
        else:
            await flow.wait(_HOP_WAIT_SECONDS - (flow.now() - quiet_since))
        if _take(flow, walk):
            quiet_since = flow.now()
        elif flow.now() - quiet_since >= _HOP_WAIT_SECONDS and number > walk.furthest + errand.ahead:
            walk.furthest = number - 1  # nobody answered: look further all the same
            quiet_since = flow.now()
    await _settle(flow, walk, min(deadline, flow.now() + _HOP_WAIT_SECONDS))
    for _ in range(errand.packets - 1):
        for hop in walk.worth_asking():
            if flow.now() >= deadline:
                return
            _send(flow, walk, hop)
            await flow.wait(_PACE_SECONDS)
            _take(flow, walk)
        await _settle(flow, walk, min(deadline, flow.now() + _ROUND_SECONDS))
    await _settle(flow, walk, min(deadline, flow.now() + max(_LAST_WAIT_SECONDS, 2.0 * walk.longest_rtt)))


def _send(flow: Flow, walk: Walk, number: int) -> None:
    set_hops(flow.opened, number)
    tag = walk.sent(number, flow.now())
    if not flow.send(tag):
        walk.unsent(tag)


def _take(flow: Flow, walk: Walk) -> bool:
    heard, flow.heard = flow.heard, []
    for one in heard:
        walk.heard(one.tag, one.error, one.at)
    return bool(heard)


async def _settle(flow: Flow, walk: Walk, until: MonotonicSeconds) -> None:
    """Wait for what is still on its way."""
    while walk.outstanding and (left := until - flow.now()) > 0:
        await flow.wait(left)
        _take(flow, walk)
    _take(flow, walk)


async def _walk_syn(errand: PathErrand, address: str, walk: Walk, deadline: MonotonicSeconds) -> int:
    """Walk with SYNs: one at a time, because all have the same ports. Returns octets."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    source_port, octets = 0, 0
    for turn in range(errand.packets):
        hops = range(1, errand.max_hops + 1) if turn == 0 else walk.worth_waiting_for()
        silent = 0
        for number in hops:
            if loop.time() >= deadline or number > walk.last_useful or silent >= errand.ahead:
                break
            opened, _ = open_flow(family, WalkMethod.TCP)
            try:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)  # leave with a RST
                opened.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", source_port))  # noqa: S104  any own address
                source_port = opened.getsockname()[1]
                set_hops(opened, number)
                tag = walk.sent(number, loop.time())
                wait = min(deadline - loop.time(), max(_SYN_WAIT_SECONDS, 3.0 * walk.longest_rtt))
                answered, error = await _syn(opened, address, errand.port, wait)
                octets += 120
            finally:
                opened.close()
            if answered or error is not None:
                walk.heard(tag, error, loop.time())
                silent = 0
            else:
                silent += 1
    return octets


async def _syn(opened: socket.socket, address: str, port: int, wait: Seconds) -> tuple[bool, IcmpError | None]:
    """Return whether the target answered (it takes the connection or refuses it), and what else was said."""
    try:
        async with asyncio.timeout(wait):
            await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except TimeoutError:
        return False, None
    except OSError as problem:
        found = read_error(opened)
        if found is not None:
            return False, found[1]
        if isinstance(problem, ConnectionRefusedError):
            return True, None
        unreachable = IcmpError(Told.UNREACHABLE, (problem.strerror or "").lower(), "", 0, 0, 0, problem.errno or 0)
        return False, unreachable
    return True, None

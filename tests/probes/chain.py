"""A chain of routers in network namespaces: client - r1 - r2 - r3 - server, IPv4 and IPv6, to probe along."""

import asyncio
import contextlib
import ctypes
import itertools
import os
import socket
import subprocess
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.patience import PATIENCE_SECONDS
from tests.programs import need_as_root

T = TypeVar("T")
NODES = ("c", "r1", "r2", "r3", "s")
SERVER = "10.81.3.2"
SERVER6 = "fd81:3::2"
ROUTERS = ("10.81.0.2", "10.81.1.2", "10.81.2.2")
ROUTERS6 = ("fd81::2", "fd81:1::2", "fd81:2::2")
_NEWNET = 0x40000000


class Chain:
    """The namespaces; `at` runs a command in one of them, `inside` code of this process."""

    def __init__(self) -> None:
        self._names = {node: f"bt{os.getpid()}{node}" for node in NODES}

    def at(self, node: str, command: str) -> None:
        subprocess.run(
            ["ip", "netns", "exec", self._names[node], "sh", "-ec", command],
            check=True,
            capture_output=True,
            timeout=30,
        )

    @contextlib.contextmanager
    def fault(self, node: str, begin: str, end: str) -> Iterator[None]:
        self.at(node, begin)
        try:
            yield
        finally:
            self.at(node, end)

    @contextlib.contextmanager
    def inside(self, node: str) -> Iterator[None]:
        """Be in a namespace: sockets that this thread makes are of it."""
        libc = ctypes.CDLL(None, use_errno=True)
        with (
            Path("/proc/thread-self/ns/net").open("rb") as home,
            Path(f"/run/netns/{self._names[node]}").open("rb") as there,
        ):
            assert libc.setns(there.fileno(), _NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), _NEWNET) == 0

    @contextlib.contextmanager
    def listening(self, node: str, port: int) -> Iterator[None]:
        """Accept connections in a namespace."""
        with self.inside(node):
            opened = socket.create_server(("0.0.0.0", port))
        with opened:
            yield

    @contextlib.contextmanager
    def two_lines(self) -> Iterator[None]:
        """Add a second line between r1 and r2 and let r1 spread flows over both by their ports."""
        one, other = self._names["r1"], self._names["r2"]
        pid = os.getpid() % 100000
        spread = "sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1;"
        lines = (
            f"link add bt{pid}x netns {one} type veth peer name bt{pid}y netns {other}",
            f"-n {one} link set bt{pid}x name x up",
            f"-n {other} link set bt{pid}y name y up",
            f"-n {one} addr add 10.81.9.1/24 dev x",
            f"-n {other} addr add 10.81.9.2/24 dev y",
            f"-n {one} addr add fd81:9::1/64 dev x nodad",
            f"-n {other} addr add fd81:9::2/64 dev y nodad",
        )
        for line in lines:
            subprocess.run(["ip", *line.split()], check=True, timeout=PATIENCE_SECONDS)
        self.at(
            "r1",
            spread + "ip route replace 10.81.3.0/24 nexthop via 10.81.1.2 nexthop via 10.81.9.2;"
            "ip -6 route del fd81:3::/64; ip -6 route add fd81:3::/64 nexthop via fd81:1::2 nexthop via fd81:9::2",
        )
        try:
            yield
        finally:
            self.at(
                "r1",
                "ip route replace 10.81.3.0/24 via 10.81.1.2; ip -6 route del fd81:3::/64;"
                "ip -6 route add fd81:3::/64 via fd81:1::2; ip link del dev x",
            )

    def run(self, work: Coroutine[Any, Any, T], node: str = "c") -> T:
        with self.inside(node):
            return asyncio.run(work)

    def build(self) -> None:
        for name in self._names.values():
            subprocess.run(["ip", "netns", "add", name], check=True, timeout=PATIENCE_SECONDS)
        for node in NODES:
            self.at(node, "sysctl -qw net.ipv6.conf.default.accept_dad=0")  # else nobody is asked for a second or two
        lines = []
        for number, (left, right) in enumerate(itertools.pairwise(NODES)):
            ends = ((left, "d", 1), (right, "u", 2))
            one, other = (f"bt{os.getpid() % 100000}{node}{side}" for node, side, _ in ends)
            lines.append(
                f"link add {one} netns {self._names[left]} type veth peer name {other} netns {self._names[right]}"
            )
            for (node, side, host), device in zip(ends, (one, other), strict=True):
                ns = f"-n {self._names[node]}"
                lines += [
                    f"{ns} link set {device} name {side} up",
                    f"{ns} addr add 10.81.{number}.{host}/24 dev {side}",
                    f"{ns} addr add fd81:{number}::{host}/64 dev {side} nodad",
                ]
        for at, node in enumerate(NODES):
            for number in range(len(NODES) - 1):
                if number in {at - 1, at}:
                    continue
                via4 = f"10.81.{at}.2" if number > at else f"10.81.{at - 1}.1"
                via6 = f"fd81:{at}::2" if number > at else f"fd81:{at - 1}::1"
                lines.append(f"-n {self._names[node]} route add 10.81.{number}.0/24 via {via4}")
                lines.append(f"-n {self._names[node]} -6 route add fd81:{number}::/64 via {via6}")
        for line in lines:
            subprocess.run(["ip", *line.split()], check=True, timeout=PATIENCE_SECONDS)
        for node in NODES:
            self.at(
                node,
                "ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
                " net.ipv4.icmp_errors_use_inbound_ifaddr=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.ping_group_range='0 2147483647'",
            )

    def tear_down(self) -> None:
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True, timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def chain() -> Iterator[Chain]:
    """Build the chain and take it down again."""
    need_as_root("ip", "iptables-legacy", "ip6tables-legacy", "sysctl")
    made = Chain()
    try:
        made.build()
        yield made
    finally:
        made.tear_down()

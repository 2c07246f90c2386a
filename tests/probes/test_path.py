"""Walks along real routers in network namespaces, and what the transport makes of what routers say."""

import asyncio
import errno

import pytest

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.model.service import CheckKind
from btimd.probes.catalogue import work_for
from btimd.probes.errands import Errands
from btimd.probes.path import PathRunner, local_outcome
from btimd.probes.walks import PathErrand
from btimd.probes.wire.dialogue import Outcome
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes.chain import ROUTERS, ROUTERS6, SERVER, SERVER6, Chain
from tests.probes.running import probe
from tests.probes.samples import check

pytestmark = [pytest.mark.net, pytest.mark.slow]
FLUSH = "iptables-legacy -F; ip6tables-legacy -F"
BOTH = ((SERVER, ROUTERS), (SERVER6, ROUTERS6))


async def walk(host: str, port: int = 0, within: float = PATIENCE_SECONDS, **options: str) -> Outcome:
    errand = work_for(check(kind=CheckKind.PATH, host=host, port=port, options=options), 0xBEEF_1234)
    assert isinstance(errand, PathErrand)
    return await PathRunner().run(errand, within)


@pytest.mark.parametrize("method", ["icmp", "udp", "tcp"])
@pytest.mark.parametrize(("host", "hops"), BOTH)
def test_every_method_names_every_hop(routers: Chain, method: str, host: str, hops: tuple[str, ...]) -> None:
    found = routers.run(walk(host, 0 if method == "icmp" else 9, method=method))
    assert found.health is Health.GOOD
    assert found.detail.endswith(" ms: " + " > ".join([*hops, host]))
    assert (found.values["hops"], found.values["packets"], found.values["loss_ratio"]) == (4, 20, 0.0)
    assert 0.0 < found.values["rtt_seconds"] < 1.0
    assert found.values["octets"] >= 20 * 28


@pytest.mark.parametrize("method", ["icmp", "udp"])
def test_loss_is_named_where_it_begins(routers: Chain, method: str) -> None:
    drop = "iptables-legacy -A FORWARD -o d -m statistic --mode nth --every 3 --packet 0 -j DROP"
    with routers.fault("r2", drop, FLUSH):
        found = routers.run(walk(SERVER, 0 if method == "icmp" else 9, method=method, max_loss_percent="10"))
    assert (found.health, found.error) == (Health.BAD, ErrorClass.TIMEOUT)
    assert found.detail.startswith(f"loss from hop 3, {ROUTERS[2]}, on: ")
    assert 0.15 <= found.values["loss_ratio"] <= 0.5


def test_a_router_that_says_nothing_is_no_fault(routers: Chain) -> None:
    with routers.fault("r2", "iptables-legacy -A OUTPUT -p icmp -j DROP", FLUSH):
        found = routers.run(walk(SERVER))
    assert found.health is Health.GOOD
    assert found.detail.endswith(f": {ROUTERS[0]} > * > {ROUTERS[2]} > {SERVER}")


def test_a_router_that_answers_rarely_is_no_fault(routers: Chain) -> None:
    rarely = "iptables-legacy -A OUTPUT -p icmp -m statistic --mode nth --every 5 --packet 0 -j ACCEPT; iptables-legacy -A OUTPUT -p icmp -j DROP"
    with routers.fault("r1", rarely, FLUSH):
        found = routers.run(walk(SERVER))
    assert found.health is Health.GOOD


@pytest.mark.parametrize("method", ["icmp", "udp", "tcp"])
@pytest.mark.parametrize(("host", "hops"), BOTH)
def test_a_filter_that_says_so_is_named(routers: Chain, method: str, host: str, hops: tuple[str, ...]) -> None:
    say = (
        "iptables-legacy -A FORWARD -j REJECT --reject-with icmp-admin-prohibited;"
        "ip6tables-legacy -A FORWARD -j REJECT --reject-with icmp6-adm-prohibited"
    )
    with routers.fault("r2", say, FLUSH):
        found = routers.run(walk(host, 0 if method == "icmp" else 9, method=method))
    assert (found.health, found.error) == (Health.BAD, ErrorClass.UNREACHABLE)
    assert found.detail.endswith(f"hop 3, {hops[1]}, says: communication administratively prohibited")


@pytest.mark.parametrize("method", ["icmp", "tcp"])
def test_where_packets_vanish_the_last_who_answers_is_named(routers: Chain, method: str) -> None:
    with routers.fault("r2", "iptables-legacy -A FORWARD -j DROP", FLUSH):
        found = routers.run(walk(SERVER, 0 if method == "icmp" else 9, within=1.0, method=method))
    assert (found.health, found.error) == (Health.BAD, ErrorClass.TIMEOUT)
    assert f"hop 2, {ROUTERS[1]}, is the last that does" in found.detail


def test_a_circle_is_named(routers: Chain) -> None:
    with routers.fault(
        "r3",
        "ip route replace 10.81.3.0/24 via 10.81.2.1 table 7; ip rule add iif u lookup 7",
        "ip rule del iif u lookup 7",
    ):
        found = routers.run(walk(SERVER))
    assert "packets run in a circle through" in found.detail


def test_a_host_without_a_way_is_unreachable(routers: Chain) -> None:
    found = routers.run(walk("198.51.100.1"))
    assert (found.error, found.detail) == (
        ErrorClass.UNREACHABLE,
        "this machine has no way there: network is unreachable",
    )


@pytest.mark.parametrize(("host", "hops"), BOTH)
def test_without_ping_sockets_raw_ones_do_and_strangers_echoes_are_not_mixed_in(
    routers: Chain, host: str, hops: tuple[str, ...]
) -> None:
    async def several() -> list[Outcome]:
        errands = (work_for(check(kind=CheckKind.PATH, host=host, port=0), token) for token in range(1, 6))
        return list(await asyncio.gather(*(PathRunner().run(errand, 5.0) for errand in errands)))  # type: ignore[arg-type]

    group = "sysctl -qw net.ipv4.ping_group_range="
    with routers.fault("c", f"{group}'1 0'", f"{group}'0 2147483647'"):
        found = routers.run(several())
    assert {one.health for one in found} == {Health.GOOD}
    for one in found:
        assert one.detail.endswith(" ms: " + " > ".join([*hops, host]))
        assert (one.values["packets"], one.values["loss_ratio"]) == (20, 0.0)


async def test_a_walk_is_an_errand_of_the_probes() -> None:
    errands = Errands({PathErrand: PathRunner()}, SystemClock(), Log("probes"))
    of = check(kind=CheckKind.PATH, port=free_port(), options={"method": "udp"})
    errand = work_for(of, 7)
    assert isinstance(errand, PathErrand)
    found = await errands.run(ProbeSpec(1, of), errand)
    assert (found.health, found.values["hops"]) == (Health.GOOD, 1)
    assert found.detail.endswith(": 127.0.0.1")


def test_without_any_right_the_answer_says_what_to_do() -> None:
    assert local_outcome(PermissionError(1, "no")).error is ErrorClass.NOT_PERMITTED
    assert local_outcome(OSError(errno.EMFILE, "Too many open files")).detail == (
        "this machine cannot send the probe: Too many open files"
    )


async def test_a_name_that_nobody_knows_is_a_name_error() -> None:
    found = await walk("no-such-host.invalid", within=20.0)
    assert (found.health, found.error) == (Health.BAD, ErrorClass.NAME_ERROR)


@pytest.mark.parametrize("host", [SERVER, SERVER6])
def test_two_equal_lines_are_walked_as_one_path(routers: Chain, host: str) -> None:
    """A second line between r1 and r2 that the flow's ports decide about: a flow keeps to one."""
    first, second = ("10.81.1.2", "10.81.9.2") if host == SERVER else ("fd81:1::2", "fd81:9::2")
    with routers.two_lines():
        seen = set()
        for port in range(40_000, 40_012):
            found = routers.run(walk(host, port, method="udp", packets="3"))
            assert found.health is Health.GOOD, found.detail
            route = found.detail.rpartition(": ")[2].split(" > ")
            assert len(route) == 4
            seen.add(route[1])
            assert found.values["packets"] == 12
    assert seen == {first, second}, "both lines are used, each by whole flows"


# --- what the transport makes of it --------------------------------------------------------------------------------


def tcp(routers: Chain, host: str, port: int = 9, timeout: float = 2.0) -> ProbeResult:
    return routers.run(probe(check(kind=CheckKind.TCP, host=host, port=port, timeout=timeout)))


@pytest.mark.parametrize(("host", "hops"), BOTH)
def test_ways_of_not_connecting_are_told_apart(routers: Chain, host: str, hops: tuple[str, ...]) -> None:
    name = f"[{host}]:9" if ":" in host else f"{host}:9"
    v6 = ":" in host
    program, prohibited = (
        ("ip6tables-legacy", "icmp6-adm-prohibited") if v6 else ("iptables-legacy", "icmp-admin-prohibited")
    )
    port, way = (
        ("icmp6-port-unreachable", "icmp6-addr-unreachable")
        if v6
        else ("icmp-port-unreachable", "icmp-host-unreachable")
    )
    words = "address unreachable" if v6 else "host unreachable"
    told = [tcp(routers, host)]
    for kind in (prohibited, port, way):
        with routers.fault("r2", f"{program} -A FORWARD -p tcp -j REJECT --reject-with {kind}", FLUSH):
            told.append(tcp(routers, host))
    with routers.fault("r2", f"{program} -A FORWARD -p tcp -j DROP", FLUSH):
        told.append(tcp(routers, host, timeout=0.3))
    by = hops[1]
    assert [(one.error, one.detail) for one in told] == [
        (ErrorClass.REFUSED, f"{name} refuses: the host answers, nobody listens there"),
        (
            ErrorClass.UNREACHABLE,
            f"{name} cannot be reached: filtered, {by} says: communication administratively prohibited",
        ),
        (ErrorClass.REFUSED, f"{name} refuses: {by} says so for it (ICMP port unreachable), as firewalls do"),
        (ErrorClass.UNREACHABLE, f"{name} cannot be reached: {by} says: {words}"),
        (ErrorClass.TIMEOUT, f"{name} does not answer a tcp connect within 0.3 s: dropped without a word"),
    ]


@pytest.mark.parametrize("host", [SERVER, SERVER6])
def test_a_datagram_to_a_closed_port_is_refused_and_a_filtered_one_unreachable(routers: Chain, host: str) -> None:
    of = check(kind=CheckKind.UDP, host=host, port=9, timeout=0.3)
    assert routers.run(probe(of)).error is ErrorClass.REFUSED
    say = (
        "iptables-legacy -A FORWARD -j REJECT --reject-with icmp-admin-prohibited;"
        "ip6tables-legacy -A FORWARD -j REJECT --reject-with icmp6-adm-prohibited"
    )
    with routers.fault("r2", say, FLUSH):
        assert routers.run(probe(of)).error is ErrorClass.UNREACHABLE
    with routers.fault("r2", "iptables-legacy -A FORWARD -j DROP; ip6tables-legacy -A FORWARD -j DROP", FLUSH):
        assert routers.run(probe(of)).error is ErrorClass.TIMEOUT


@pytest.mark.parametrize("host", [SERVER, SERVER6])
def test_a_burst_of_echoes_measures_loss(routers: Chain, host: str) -> None:
    options = {"count": "5", "interval": "10ms"}
    of = check(kind=CheckKind.ICMP, host=host, options=options)
    lossless = routers.run(probe(of))
    assert (lossless.health, lossless.values["loss_ratio"]) == (Health.GOOD, 0.0)
    drop = "-A FORWARD -o d -m statistic --mode nth --every 5 --packet 1 -j DROP"
    with routers.fault("r2", f"iptables-legacy {drop}; ip6tables-legacy {drop}", FLUSH):
        lossy = routers.run(probe(of))
        tolerated = routers.run(
            probe(check(kind=CheckKind.ICMP, host=host, options={**options, "max_loss_percent": "20"}))
        )
    assert (lossy.error, lossy.detail) == (ErrorClass.TIMEOUT, f"{host} answers only 4 of 5 echo requests")
    assert lossy.values["loss_ratio"] == pytest.approx(0.2)
    assert tolerated.health is Health.GOOD


def test_a_burst_of_connects_measures_what_fails(routers: Chain) -> None:
    drop = "iptables-legacy -A FORWARD -p tcp --syn -m statistic --mode nth --every 3 --packet 1 -j DROP"
    options = {"attempts": "3"}
    with routers.listening("s", 7777):
        good = routers.run(probe(check(host=SERVER, port=7777, options=options)))
        with routers.fault("r2", drop, FLUSH):
            lossy = routers.run(probe(check(host=SERVER, port=7777, options=options, timeout=1.0)))
    assert (good.health, good.detail) == (Health.GOOD, f"{SERVER}:7777 accepts 3 of 3 connections")
    assert (lossy.error, lossy.detail) == (ErrorClass.TIMEOUT, f"{SERVER}:7777 accepts only 2 of 3 connections")
    assert lossy.values["failed_ratio"] == pytest.approx(1 / 3)

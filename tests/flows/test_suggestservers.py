"""What is a port of a server, and what is not: each kind of noise by itself."""

from random import Random

from btimd.flows.suggestservers import Servers, find_servers
from btimd.model.address import address_text
from tests.flows.worlds_discovery import MINUTE, SYN, T0, UDP, Records, attribution, traffic, where


def found_in(out: Records) -> Servers:
    plan = attribution()
    return find_servers(traffic(out.batch(), plan), where(plan).row_of)


def ends_of(found: Servers) -> set[tuple[str, int, int]]:
    """Return server, port and number of clients of each end point."""
    return {
        (address_text(int(found.hi[one.server]), int(found.lo[one.server])), one.port, len(one.clients))
        for one in found.endpoints
    }


def used(out: Records, server: str, port: int, clients: int, *, times: int = 3) -> None:
    for client in range(clients):
        for time in range(times):
            at = T0 + time * 20 * MINUTE + client
            out.both(f"10.1.0.{client + 1}", 40_000 + 10 * client + time, server, port, at=at)


def test_a_port_that_several_come_back_to_is_a_server_s_and_surer_the_more_come() -> None:
    out = Records()
    used(out, "10.20.1.10", 443, 30)
    used(out, "10.20.1.20", 7777, 4)
    found = found_in(out)

    assert ends_of(found) == {("10.20.1.10", 443, 30), ("10.20.1.20", 7777, 4)}
    first, second = found.endpoints
    assert first.confidence > second.confidence > 0.5


def test_a_scan_of_many_servers_with_and_without_answers_makes_none() -> None:
    out = Records()
    used(out, "10.20.1.10", 443, 5)
    for number in range(500):
        server, port = f"10.20.2.{number % 250 + 1}", 1 + number
        out.one("10.1.9.9", 50_000, server, port, at=T0 + number, packets=1, octets=44, flags=SYN)
        if number % 2:
            out.one(server, port, "10.1.9.9", 50_000, at=T0 + number + 1, packets=1, octets=40, flags=0x14)
    found = found_in(out)

    assert (ends_of(found), found.left_out) == ({("10.20.1.10", 443, 5)}, {"scans": 500})


def test_a_scan_of_the_ports_of_one_server_makes_none() -> None:
    out = Records()
    for port in range(1, 400):
        out.both("10.1.9.9", 50_000, "10.20.1.10", port, at=T0 + port, packets=1, octets=80)

    assert ends_of(found_in(out)) == set()


def test_calls_between_two_clients_make_none() -> None:
    out = Records()
    for number in range(40):
        out.both(
            f"10.1.0.{number + 1}", 20_000 + number, f"10.2.0.{number + 1}", 30_000 - number, at=T0 + number,
            packets=4000, octets=900_000, protocol=UDP,
        )  # fmt: skip

    assert ends_of(found_in(out)) == set()


def test_peers_that_each_listen_on_a_port_of_their_own_make_none() -> None:
    out, chance = Records(), Random(3)
    peers = [(f"10.1.0.{host}", chance.randrange(20_000, 60_000)) for host in range(1, 21)]
    for host, _ in peers:
        for peer, port in peers:
            if peer != host:
                for _ in range(2):
                    out.both(host, chance.randrange(32_768, 60_999), peer, port, at=T0 + chance.randrange(60 * MINUTE))

    assert ends_of(found_in(out)) == set()


def test_ports_agreed_on_over_a_control_port_become_its_range() -> None:
    out = Records()
    for client in range(10):
        for time in range(3):
            at = T0 + (time * 10 + client) * MINUTE
            out.both(f"10.1.0.{client + 1}", 40_000 + time, "10.20.1.50", 21, at=at)
            data = 50_010 + 37 * (client * 3 + time)
            out.both(f"10.1.0.{client + 1}", 41_000 + time, "10.20.1.50", data, at=at + 500)
    (one,) = found_in(out).endpoints

    assert (one.port, one.dynamic, len(one.clients)) == (21, [(50_010, 50_010 + 37 * 29)], 10)


def test_who_talks_to_everything_is_no_client_of_anything() -> None:
    out = Records()
    for host in range(1, 13):
        for client in range(3):
            for time in range(3):
                user, at = f"10.1.{host % 4}.{client}", T0 + time * 20 * MINUTE
                out.both(user, 40_000 + 10 * host + time, f"10.20.1.{host}", 443, at=at)
        for time in range(3):
            out.both("10.20.9.5", 45_000 + time, f"10.20.1.{host}", 443, at=T0 + time * MINUTE)
            out.both("10.20.9.5", 46_000 + time, f"10.20.1.{host}", 10_050, at=T0 + time * MINUTE)
    found = found_in(out)

    assert ends_of(found) == {(f"10.20.1.{host}", 443, 3) for host in range(1, 13)}
    assert [address_text(int(found.hi[at]), int(found.lo[at])) for at in found.everywhere.nonzero()[0]] == ["10.20.9.5"]


def test_servers_outside_are_counted_and_left_out() -> None:
    out = Records()
    used(out, "203.0.113.10", 443, 30)
    found = found_in(out)

    assert (ends_of(found), found.left_out) == (set(), {"to servers outside the enterprise": 30})


def test_where_only_one_direction_is_exported_servers_are_found_all_the_same() -> None:
    out = Records()
    for client in range(20):
        for time in range(3):
            at = T0 + time * 20 * MINUTE
            out.one(f"10.1.0.{client + 1}", 40_000 + client, "10.20.1.10", 443, at=at, packets=12)

    assert ends_of(found_in(out)) == {("10.20.1.10", 443, 20)}

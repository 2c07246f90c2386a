import asyncio
import socket
import struct
from dataclasses import replace

import pytest

from btimd.lab.clients import Addresses, Experience, Person, User, people
from btimd.lab.enterprise import Enterprise
from btimd.lab.meter import ACK, FIN, PROTOCOL_TCP, PROTOCOL_UDP, RST, SYN, FlowRecord
from btimd.lab.topology import DNS
from btimd.runtime.clock import ManualClock, SystemClock
from tests.lab.idletime import SPEED, in_idle_time
from tests.lab.observe import QUICK

PATIENT = replace(QUICK, user_patience_seconds=1.5 * SPEED)
"""Patient for a second and a half of the kernel's, which repeats a SYN after one."""

SOMEBODY = Person("127.11.9.21", "north", "north-test", ("erp",))


def make(
    enterprise: Enterprise, flows: list[FlowRecord], experience: dict[str, Experience], person: Person = SOMEBODY
) -> User:
    addresses, settings = enterprise.addresses(), enterprise.settings
    return User(person, addresses, settings, clock=SystemClock(), meter=flows.extend, experience=experience)


@in_idle_time
async def test_a_visit_is_a_lookup_and_a_connection_each_metered_in_both_directions() -> None:
    async with Enterprise(QUICK) as enterprise:
        flows: list[FlowRecord] = []
        experience: dict[str, Experience] = {}
        assert await make(enterprise, flows, experience).visit("erp")
        dns, web = enterprise.endpoint(DNS), ("127.20.1.10", enterprise.addresses().web_ports["erp"])
    asked, told, out, back = flows
    assert (asked.source, asked.destination, asked.destination_port, asked.protocol, asked.business) == (
        "127.11.9.21", *dns, PROTOCOL_UDP, "",
    )  # fmt: skip
    assert (asked.packets, asked.octets) == (1, 28 + 12 + len("erp.lab.example") + 2 + 4)
    assert (told.source, told.source_port, told.octets) == (*dns, asked.octets + 16)
    assert (out.source, out.destination, out.destination_port, out.protocol, out.business) == (
        "127.11.9.21", *web, PROTOCOL_TCP, "erp",
    )  # fmt: skip
    assert (back.source, back.source_port, back.destination, back.destination_port) == (
        *web, "127.11.9.21", out.source_port,
    )  # fmt: skip
    assert out.tcp_control_bits & (SYN | ACK | FIN) == SYN | ACK | FIN
    assert out.start_milliseconds <= out.end_milliseconds
    seen = experience["erp"]
    assert seen.failures == 0
    assert 1 <= seen.pages <= 3
    # Every page comes with a head of about a hundred octets; the rest is headers of segments.
    heads = back.octets - seen.page_octets - 60 - 52 * (back.packets - 1)
    assert 90 * seen.pages <= heads <= 130 * seen.pages


@in_idle_time
async def test_the_pages_a_user_reads_depend_on_the_seed_and_the_address_alone() -> None:
    async def pages_of(person: Person) -> list[tuple[int, int]]:
        async with Enterprise(QUICK) as enterprise:
            experience: dict[str, Experience] = {}
            user = make(enterprise, [], experience, person)
            seen = []
            for _ in range(3):
                assert await user.visit("erp")
                seen.append((experience["erp"].pages, experience["erp"].page_octets))
            return seen

    first, again, other = await asyncio.gather(
        pages_of(SOMEBODY), pages_of(SOMEBODY), pages_of(Person("127.11.9.22", "north", "north-test", ("erp",)))
    )
    assert first == again
    assert first != other


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "business", "reason"),
    [
        ("dns-record-gone", "erp", "name: NXDOMAIN"),
        ("dns-hung", "erp", "name: no answer from the name server"),
        ("web-dead", "hr", "connection refused"),
        ("web-hung", "bank", "page: no answer"),
        ("host-power-off", "bank", "page: no answer"),
        ("db-dead", "erp", "page: HTTP 503"),
    ],
)
@in_idle_time
async def test_a_failed_visit_is_metered_too_and_says_why(fault: str, business: str, reason: str) -> None:
    async with Enterprise(PATIENT if fault == "host-power-off" else QUICK) as enterprise:
        await enterprise.inject(fault)
        flows: list[FlowRecord] = []
        experience: dict[str, Experience] = {}
        assert not await make(enterprise, flows, experience).visit(business)
    assert experience == {business: Experience(0, 0, 1, reason, {reason: 1})}
    assert flows[0].protocol == PROTOCOL_UDP
    if fault == "host-power-off":  # SYNs that nobody answered, the kernel repeats them
        ((packets, octets),) = [(flow.packets, flow.octets) for flow in flows[2:]]
        assert packets >= 2
        assert octets == 60 * packets
    refused = [(flow.tcp_control_bits, flow.octets) for flow in flows[2:]] == [(SYN, 60), (RST | ACK, 40)]
    assert refused is (reason == "connection refused")


@in_idle_time
async def test_a_connection_that_the_server_cuts_is_metered() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends a reset
        writer.transport.abort()

    async with Enterprise(QUICK) as enterprise:
        server = await asyncio.start_server(cut, "127.20.1.10", 0)
        flows: list[FlowRecord] = []
        experience: dict[str, Experience] = {}
        addresses = Addresses(enterprise.endpoint(DNS), {"erp": server.sockets[0].getsockname()[1]})
        user = User(SOMEBODY, addresses, QUICK, clock=ManualClock(), meter=flows.extend, experience=experience)
        assert not await user.visit("erp")
        server.close()
        await server.wait_closed()
    assert experience["erp"].last_failure == "page: connection lost"
    assert [flow.tcp_control_bits & RST for flow in flows[2:]] == [0, RST]


async def test_a_user_without_name_server_is_told_so() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.20.9.53", 0))
        nobody = sock.getsockname()
    flows: list[FlowRecord] = []
    experience: dict[str, Experience] = {}
    user = User(SOMEBODY, Addresses(nobody, {}), QUICK, clock=ManualClock(), meter=flows.extend, experience=experience)
    assert not await user.visit("erp")
    assert experience["erp"].last_failure.startswith("name: no name server")
    assert [(flow.protocol, flow.packets) for flow in flows] == [(PROTOCOL_UDP, 1)]


def test_thirty_people_work_in_six_segments_of_three_regions_and_some_are_known_by_name() -> None:
    everybody = people(5)
    assert len({person.address for person in everybody}) == 30
    assert {(person.region, person.address.split(".")[1]) for person in everybody} == {
        ("north", "11"), ("east", "12"), ("south", "13"),
    }  # fmt: skip
    assert len({person.segment for person in everybody}) == 6
    assert [person.name for person in everybody if person.segment == "north-sales"] == [
        "Zhang Wei", "Wang Fang", "", "", "",
    ]  # fmt: skip

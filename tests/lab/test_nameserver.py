import socket
from collections.abc import AsyncIterator
from random import Random

import pytest

from btimd.lab.dnswire import TYPE_A, decode_answer, encode_question
from btimd.lab.faults import Condition, RecordCondition
from btimd.lab.nameserver import LOOKUP_TRIES, LookupFailedError, NameServer, Resolver, lookup
from btimd.lab.topology import DNS, name_table
from tests.patience import PATIENCE_SECONDS

"""With whom an answer is waited for, however busy the machine."""


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    found = NameServer(DNS, 0.05, name_table())
    await found.start()
    yield found
    await found.stop()


def ask(server: NameServer, name: str, record: int = TYPE_A, flags: int = 0) -> tuple[int, tuple[str, ...]]:
    query = bytearray(encode_question(9, name, record))
    query[2] |= flags
    answer = decode_answer(server.answer(bytes(query)))
    assert answer.id == 9
    return answer.rcode, answer.addresses


@pytest.mark.parametrize(
    ("name", "record", "answer"),
    [
        ("erp.lab.example", 1, (0, ("127.20.1.10",))),
        ("BANK.lab.example", 255, (0, ("127.20.1.20",))),
        ("db1.lab.example", 1, (0, ("127.20.3.10",))),
        ("erp.lab.example", 28, (0, ())),
        ("lab.example", 6, (0, ())),
        ("nobody.lab.example", 1, (3, ())),
        ("elsewhere.example", 1, (5, ())),
        ("notlab.example", 1, (5, ())),
    ],
)
async def test_names_are_answered_as_an_authoritative_server_does(
    server: NameServer, name: str, record: int, answer: tuple[int, tuple[str, ...]]
) -> None:
    assert ask(server, name, record) == answer


async def test_other_operations_are_not_implemented(server: NameServer) -> None:
    assert ask(server, "erp.lab.example", flags=0x10) == (4, ())


async def test_records_can_be_gone_or_wrong(server: NameServer) -> None:
    server.break_records({"erp": RecordCondition.GONE, "bank": RecordCondition.WRONG})
    assert ask(server, "erp.lab.example") == (3, ())
    assert ask(server, "bank.lab.example") == (0, ("127.20.0.1",))
    assert ask(server, "hr.lab.example") == (0, ("127.20.1.10",))
    server.break_records({})
    assert ask(server, "erp.lab.example") == (0, ("127.20.1.10",))


async def look_up(server: NameServer, patience: float = 0.2) -> tuple[str | None, str, int, int]:
    found = await lookup(
        "erp.lab.example",
        server=(server.address, server.port),
        source="127.11.9.9",
        chance=Random(1),
        patience=patience,
    )
    return found.address, found.failure, found.queries, found.answers


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition.WELL, ("127.20.1.10", "", 1, 1)),
        (Condition.SLOW, ("127.20.1.10", "", 1, 1)),
        (Condition.ERROR, (None, "SERVFAIL", 1, 1)),
        (Condition.HUNG, (None, "no answer from the name server", LOOKUP_TRIES, 0)),
        (Condition.DEAD, (None, "no name server: [Errno 111] Connection refused", 1, 0)),
    ],
)
async def test_a_lookup_says_what_became_of_it_and_what_it_sent(
    server: NameServer, condition: Condition, expected: tuple[str | None, str, int, int]
) -> None:
    await server.become(condition)
    patience = 0.2 if condition is Condition.HUNG else PATIENCE_SECONDS
    assert await look_up(server, patience) == expected
    await server.become(Condition.WELL)
    assert (await look_up(server, PATIENCE_SECONDS))[0] == "127.20.1.10"


async def test_what_is_no_query_is_ignored_and_counted(server: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"garbage", (server.address, server.port))
    assert (await look_up(server, PATIENCE_SECONDS))[0] == "127.20.1.10"
    assert (server.ignored, server.served) == (1, 1)


async def test_a_late_answer_of_a_server_that_died_meanwhile_is_not_sent(server: NameServer) -> None:
    await server.become(Condition.SLOW)
    server.datagram_received(encode_question(1, "erp.lab.example"), ("127.11.9.9", 9))
    await server.stop()
    assert server.served == 0


async def test_servers_learn_of_a_name_that_cannot_be_resolved(server: NameServer) -> None:
    resolver = Resolver(server, Random(1), PATIENCE_SECONDS)
    assert await resolver.resolve("db2.lab.example", "127.20.2.20") == "127.20.3.20"
    with pytest.raises(LookupFailedError, match="cannot resolve db9.lab.example: NXDOMAIN"):
        await resolver.resolve("db9.lab.example", "127.20.2.20")

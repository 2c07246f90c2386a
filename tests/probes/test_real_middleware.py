"""Probes against RabbitMQ and Tomcat as they are installed on real machines."""

from collections.abc import Iterator

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Check, CheckKind
from tests.probes import servers
from tests.probes.running import probe, told
from tests.probes.samples import check

pytestmark = [pytest.mark.slow, pytest.mark.real_server]


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[int]:
    with servers.rabbitmq() as port:
        yield port


@pytest.fixture(scope="module")
def tomcat() -> Iterator[tuple[int, int]]:
    with servers.tomcat("secret") as ports:
        yield ports


def amqp(port: int, **options: str) -> Check:
    return check(kind=CheckKind.AMQP, port=port, options=options, timeout=60.0)


async def test_rabbitmq_is_understood(rabbitmq: int) -> None:
    plain = await probe(amqp(rabbitmq))
    assert (plain.health, plain.error) == (Health.GOOD, ErrorClass.NONE)
    assert plain.detail.startswith(f"127.0.0.1:{rabbitmq} is RabbitMQ 3.")
    account = {"user": "guest", "password_file": "x", "tls": "false"}
    logged_on = await probe(amqp(rabbitmq, **account), secret="guest")
    assert logged_on.detail.endswith("and lets the account in")
    wrong = await probe(amqp(rabbitmq, **account), secret="wrong")
    assert (wrong.health, wrong.error) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED)
    assert "says 403: ACCESS_REFUSED" in wrong.detail
    other = await probe(amqp(rabbitmq, database="nowhere", **account), secret="guest")
    assert (other.health, other.error) == (Health.UNKNOWN, ErrorClass.NOT_PERMITTED)
    assert "says 530: NOT_ALLOWED - vhost nowhere not found" in other.detail
    missing = await probe(amqp(rabbitmq, queue="nothing", **account), secret="guest")
    assert (missing.health, missing.error) == (Health.BAD, ErrorClass.WRONG_ANSWER)
    assert "says 404: NOT_FOUND - no queue 'nothing'" in missing.detail


async def test_the_depth_of_a_queue_of_rabbitmq_is_told(rabbitmq: int) -> None:
    await servers.fill_queue(rabbitmq, "orders", 3)
    account = {"user": "guest", "password_file": "x", "tls": "false", "queue": "orders"}
    few = await probe(amqp(rabbitmq, max_messages="3", **account), secret="guest")
    assert few.health is Health.GOOD, few.detail
    assert (few.values["message_count"], few.values["consumer_count"]) == (3.0, 0.0)
    full = await probe(amqp(rabbitmq, max_messages="2", **account), secret="guest")
    assert (full.health, full.error) == (Health.BAD, ErrorClass.EXCEEDED)
    assert full.detail.endswith("more than 2 messages are too many")


async def test_tomcat_is_understood(tomcat: tuple[int, int]) -> None:
    port, http_port = tomcat

    def ajp(at: int = port, **options: str) -> Check:
        return check(kind=CheckKind.AJP, port=at, options=options, timeout=60.0)

    assert told(await probe(ajp())) == (Health.GOOD, ErrorClass.NONE, f"127.0.0.1:{port} answers CPING")
    page = await probe(ajp(path="/erp/index.txt", secret_file="x"), secret="secret", named="secret")
    assert told(page) == (Health.GOOD, ErrorClass.NONE, f"127.0.0.1:{port} answers /erp/index.txt with 200")
    assert page.values["body_octets"] == 12.0
    missing = await probe(ajp(path="/erp/nothing", secret_file="x"), secret="secret", named="secret")
    assert (missing.error, missing.values["status"]) == (ErrorClass.WRONG_ANSWER, 404.0)
    without = await probe(ajp(path="/erp/index.txt"))
    assert (without.error, without.values["status"]) == (ErrorClass.WRONG_ANSWER, 403.0)
    other = await probe(ajp(http_port))
    assert other.error in {ErrorClass.PROTOCOL_ERROR, ErrorClass.NO_ANSWER, ErrorClass.RESET}

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from btimd.lab.receiver import Behaviour, WebhookReceiver, secret_octets
from btimd.runtime.clock import ManualClock
from tests.patience import PATIENCE_SECONDS

SECRET = "a secret of at least twenty-four octets"


class Sender:
    def __init__(self, receiver: WebhookReceiver, clock: ManualClock) -> None:
        self.receiver, self.clock = receiver, clock
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    async def post(
        self, message_id: str, body: bytes = b'{"type": "test"}', *, secret: bytes = SECRET.encode(), age: int = 0,
        signed: bytes | None = None, more: str = "",
    ) -> int:  # fmt: skip
        stamp = str(int(self.clock.wall()) - age)
        text = f"{message_id}.{stamp}.".encode() + (body if signed is None else signed)
        signature = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
        headers = {
            "webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": f"{more}v1,{signature}",
        }  # fmt: skip
        async with self.session.post(self.receiver.url, data=body, headers=headers) as response:
            return response.status


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    clock = ManualClock()
    receiver = WebhookReceiver(SECRET, clock)
    await receiver.start()
    found = Sender(receiver, clock)
    yield found
    await found.session.close()
    await receiver.stop()
    await receiver.stop()


async def test_a_signed_message_is_kept_once_however_often_it_comes(sender: Sender) -> None:
    assert [await sender.post("m-1"), await sender.post("m-2", b"[1]"), await sender.post("m-1")] == [204, 204, 204]
    (first, second) = await sender.receiver.wait_for(2, timeout_seconds=60)
    assert (first.id, first.event, first.received_at) == ("m-1", {"type": "test"}, sender.clock.wall())
    assert (second.id, second.event, json.loads(second.body)) == ("m-2", {}, [1])
    assert sender.receiver.duplicates == 1


async def test_one_good_signature_among_others_is_enough(sender: Sender) -> None:
    assert await sender.post("m-1", more="v2,abc v1,%%% v1,AAAA ") == 204


@pytest.mark.parametrize(
    "wrong",
    [{"secret": b"another secret"}, {"signed": b"another body"}, {"age": 301}, {"age": -301}],
    ids=["secret", "body", "old", "early"],
)
async def test_what_was_not_signed_with_the_secret_in_time_is_refused(sender: Sender, wrong: dict[str, bytes]) -> None:
    assert await sender.post("m-1", **wrong) == 401  # type: ignore[arg-type]  # one of the keywords above
    assert (sender.receiver.rejected, sender.receiver.deliveries) == (1, [])


async def test_a_message_without_headers_is_refused(sender: Sender) -> None:
    async with sender.session.post(sender.receiver.url, data=b"{}") as response:
        assert response.status == 401
    assert sender.receiver.rejected == 1


async def test_out_of_order_it_answers_500_and_keeps_nothing(sender: Sender) -> None:
    await sender.receiver.become(Behaviour.ERROR)
    assert await sender.post("m-1") == 500
    await sender.receiver.become(Behaviour.ACCEPT)
    assert await sender.post("m-1") == 204
    assert (sender.receiver.failed, len(sender.receiver.deliveries)) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("behaviour", "kept"), [(Behaviour.HANG, 0), (Behaviour.SWALLOW, 1)])
async def test_hanging_it_answers_nobody_and_lets_go_when_it_changes(
    sender: Sender, behaviour: Behaviour, kept: int
) -> None:
    await sender.receiver.become(behaviour)
    posting = asyncio.create_task(sender.post("m-1"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not sender.receiver.failed:  # noqa: ASYNC110  a call that is taken has no event
            await asyncio.sleep(0.005)
    done, _ = await asyncio.wait([posting], timeout=0.1)
    assert not done
    posting.cancel()
    assert (sender.receiver.failed, len(sender.receiver.deliveries)) == (1, kept)
    await sender.receiver.become(Behaviour.ACCEPT)
    assert await sender.post("m-1") == 204
    assert (len(sender.receiver.deliveries), sender.receiver.duplicates) == (1, kept)


async def test_refusing_it_does_not_listen_and_comes_back_on_the_same_port(sender: Sender) -> None:
    url = sender.receiver.url
    await sender.receiver.become(Behaviour.REFUSE)
    with pytest.raises(aiohttp.ClientConnectorError):
        await sender.post("m-1")
    await sender.receiver.become(Behaviour.ACCEPT)
    assert sender.receiver.url == url
    assert await sender.post("m-1") == 204


async def test_waiting_for_what_does_not_come_ends_in_time(sender: Sender) -> None:
    with pytest.raises(TimeoutError):
        await sender.receiver.wait_for(1, timeout_seconds=0.01)


def test_a_secret_may_be_written_as_base64() -> None:
    assert secret_octets("whsec_" + base64.b64encode(b"\x00\xff secret").decode()) == b"\x00\xff secret"
    assert secret_octets("plain") == b"plain"

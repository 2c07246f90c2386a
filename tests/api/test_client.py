import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from btimd.api import client as module
from btimd.api.auth import Role, Scope, Token, digest_of
from btimd.api.client import CallFailedError, Client, find_token, new_token
from btimd.api.tokens import load_tokens
from tests.api.conftest import SECRETS, Served, serving, write_tokens
from tests.fakes.views import SLA_STATE


def test_a_server_that_is_not_there_is_named_with_what_to_do() -> None:
    with (
        Client("127.0.0.1:1") as client,
        pytest.raises(
            CallFailedError,
            match=r"^cannot reach btimd at 127.0.0.1:1 \(Connection refused\); start it, or say where it is",
        ),
    ):
        client.sla_states()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(CallFailedError, match="--server: 'nowhere' is no address with a port; write"):
        Client("nowhere")


def test_a_token_never_goes_to_another_machine_unencrypted_unless_that_is_wanted() -> None:
    with pytest.raises(CallFailedError, match="the token would go to 192.0.2.1:1 unencrypted; use --tls"):
        Client("192.0.2.1:1", token="t")
    Client("192.0.2.1:1", token="t", plaintext=True).close()


async def test_a_wrong_token_says_where_to_put_the_right_one(served: Served) -> None:
    with (
        Client(served.server, token="wrong") as client,
        pytest.raises(CallFailedError, match="the token is not known here; .*; say where the token is: --token-file"),
    ):
        await asyncio.to_thread(client.sla_states)


def test_the_token_of_a_named_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("secret\n")

    assert find_token(tmp_path / "mine", "192.0.2.1:1") == "secret"


@pytest.mark.parametrize("content", [b"", b"\xff", b"a\nb"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine").write_bytes(content)

    with pytest.raises(CallFailedError, match="mine holds no token"):
        find_token(tmp_path / "mine", "127.0.0.1:1")


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallFailedError, match="cannot read the token file .*mine: No such file"):
        find_token(tmp_path / "mine", "127.0.0.1:1")


def test_the_token_that_the_server_made_is_found_on_its_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCAL_TOKEN", tmp_path / "token")
    nothing = find_token(None, "127.0.0.1:1")
    (tmp_path / "token").write_text("secret\n")

    assert (nothing, find_token(None, "127.0.0.1:1"), find_token(None, "192.0.2.1:1")) == (None, "secret", None)


def test_a_new_token_is_one_that_the_server_takes(tmp_path: Path) -> None:
    entry, secret = new_token("anna", "viewer")
    wide, _ = new_token("bob", "handler", person='b"ob', businesses=["erp", "hr"], regions=["上海"], desk=True)
    (tmp_path / "tokens.toml").write_text(f"{entry}\n\n{wide}\n")
    anna, bob = load_tokens(tmp_path / "tokens.toml")

    assert (anna, len(secret)) == (Token("anna", Role.VIEWER, digest_of(secret.encode())), 43)
    scope = Scope(frozenset({"erp", "hr"}), frozenset({"上海"}))
    assert bob == Token("bob", Role.HANDLER, bob.sha256, 'b"ob', scope, desk=True)


@pytest.mark.slow
async def test_with_tls_the_server_is_verified(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        assert os.environ.get("CI") != "true", "openssl is missing"
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(  # noqa: ASYNC221  before anything runs on the loop
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", "/CN=btimd.test", "-addext", "subjectAltName=DNS:btimd.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = {"cert_file": cert, "key_file": key, "tokens_file": write_tokens(tmp_path / "tokens.toml")}
    async with serving(tmp_path, settings) as served:
        good = {"token": SECRETS["vera"], "ca_file": cert, "server_name": "btimd.test"}
        with Client(served.server, **good) as client:  # type: ignore[arg-type]  # the values of one mapping
            page = await asyncio.to_thread(client.sla_states)
        for wrong in (Client(served.server, ca_file=cert), Client(served.server, tls=True), Client(served.server)):
            with wrong, pytest.raises(CallFailedError, match="cannot reach btimd"):
                await asyncio.to_thread(wrong.sla_states)

    assert page.items == [SLA_STATE]

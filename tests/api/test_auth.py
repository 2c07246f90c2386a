from pathlib import Path

import grpc
import pytest

from btimd.api.auth import (
    ANYBODY,
    NEEDED_ROLE,
    Caller,
    Gate,
    Role,
    Token,
    digest_of,
    load_tokens,
    local_token,
)
from btimd.api.errors import ApiError
from btimd.api.pb import (
    archive_pb2,
    baselines_pb2,
    discovery_pb2,
    flows_pb2,
    graph_pb2,
    incidents_pb2,
    plan_pb2,
    sla_pb2,
    topology_pb2,
    views_pb2,
)
from btimd.runtime.metrics import Metrics
from tests.api.conftest import SECRETS, write_tokens

FILES = (
    archive_pb2,
    baselines_pb2,
    discovery_pb2,
    flows_pb2,
    graph_pb2,
    incidents_pb2,
    plan_pb2,
    sla_pb2,
    topology_pb2,
    views_pb2,
)
METHODS = {
    f"/{service.full_name}/{method.name}": method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
GOOD = f'name = "x"\nrole = "viewer"\nsha256 = "{"0" * 64}"'


def test_every_call_has_a_role_and_only_calls_without_side_effects_are_for_viewers() -> None:
    without_side_effects = {path for path, method in METHODS.items() if method.GetOptions().idempotency_level == 1}

    assert NEEDED_ROLE.keys() == METHODS.keys()
    assert {path for path, role in NEEDED_ROLE.items() if role is Role.VIEWER} == without_side_effects


@pytest.mark.parametrize("needed", Role)
@pytest.mark.parametrize("caller", Role)
def test_a_role_may_do_what_lower_ones_may(caller: Role, needed: Role) -> None:
    metrics = Metrics()
    gate = Gate([Token("x", caller, digest_of(b"secret"))], metrics)
    if caller >= needed:
        assert gate.admit("Bearer secret", needed, reads_are_open=False) == Caller("x", caller)
        return
    with pytest.raises(ApiError) as refused:
        gate.admit("Bearer secret", needed, reads_are_open=True)
    assert refused.value.code is grpc.StatusCode.PERMISSION_DENIED
    assert metrics.value("btimd_api_auth_failures_total", {"reason": "role"}) == 1


@pytest.mark.parametrize("needed", Role)
@pytest.mark.parametrize("reads_are_open", [True, False])
def test_without_a_token_only_open_reads_are_let_in(*, needed: Role, reads_are_open: bool) -> None:
    gate = Gate([Token("x", Role.MANAGER, digest_of(b"secret"))], Metrics())
    if needed is Role.VIEWER and reads_are_open:
        assert gate.admit(None, needed, reads_are_open=True) == ANYBODY
        return
    with pytest.raises(ApiError) as refused:
        gate.admit(None, needed, reads_are_open=reads_are_open)
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Bearer wrong", "unknown"),
        ("Bearer secret2", "unknown"),
        ("Bearer \udcff", "unknown"),
        ("Bearer ", "malformed"),
        ("", "malformed"),
        ("secret", "malformed"),
        ("Basic secret", "malformed"),
        ("Bearer " + "x" * 1000, "malformed"),
    ],
)
def test_a_wrong_token_is_refused_and_counted_even_where_reads_are_open(authorization: str, reason: str) -> None:
    metrics = Metrics()
    gate = Gate([Token("x", Role.MANAGER, digest_of(b"secret"))], metrics)

    with pytest.raises(ApiError) as refused:
        gate.admit(authorization, Role.VIEWER, reads_are_open=True)

    assert refused.value.code is grpc.StatusCode.UNAUTHENTICATED
    assert metrics.value("btimd_api_auth_failures_total", {"reason": reason}) == 1


def test_the_tokens_file_is_read(tmp_path: Path) -> None:
    tokens = load_tokens(write_tokens(tmp_path / "tokens.toml"))

    assert [(token.name, token.role) for token in tokens] == [
        ("vera", Role.VIEWER),
        ("otto", Role.OPERATOR),
        ("mona", Role.MANAGER),
    ]
    assert tokens[0].sha256 == digest_of(SECRETS["vera"].encode())
    assert repr(tokens[0]) == "Token(name='vera', role=<Role.VIEWER: 1>)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"wanted one or more \[\[token\]\] tables"),
        ("token = 3", r"wanted one or more \[\[token\]\] tables"),
        ("tokens = []", r"wanted one or more \[\[token\]\] tables"),
        ("[[token]]\n" + GOOD + "\nmore = 1", "token 1: wanted exactly name, role and sha256"),
        ("[[token]]\n" + GOOD.replace('"x"', '"a b"'), "token 1: name 'a b'"),
        ("[[token]]\n" + GOOD.replace("viewer", "root"), "role 'root' is none of viewer, operator, manager"),
        ("[[token]]\n" + GOOD.replace("0" * 64, "00"), "sha256 is not 64 hex digits"),
        ("[[token]]\n" + GOOD + "\n[[token]]\n" + GOOD, "token 2: name 'x' or its sha256 is there twice"),
        ("[[token", "is no TOML"),
    ],
)
def test_a_wrong_tokens_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(text)

    with pytest.raises(ValueError, match=message) as refused:
        load_tokens(path)

    assert str(refused.value).startswith(str(path))


def test_a_tokens_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read .*nowhere: No such file"):
        load_tokens(tmp_path / "nowhere")


def test_the_local_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = local_token(tmp_path / "state")
    second = local_token(tmp_path / "state")
    path = tmp_path / "state" / "token"

    assert first == second == Token("local", Role.MANAGER, digest_of(path.read_bytes().strip()))
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes().strip()) >= 43


def test_a_local_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o644)

    with pytest.raises(ValueError, match="can be read by others"):
        local_token(tmp_path)


def test_a_state_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(ValueError, match="state is no directory; remove it"):
        local_token(tmp_path / "state")

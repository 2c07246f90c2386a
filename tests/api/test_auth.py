import grpc
import pytest

from btimd.api.auth import ANYBODY, NEEDED_ROLE, SCOPED_CALLS, Caller, Gate, Role, Scope, Token, digest_of
from btimd.api.client import _FILES as FILES
from btimd.api.errors import ApiError
from btimd.model.incident import ActorRole
from btimd.runtime.metrics import Metrics

METHODS = {
    f"/{service.full_name}/{method.name}": method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
CENTRE = frozenset({ActorRole.DESK, ActorRole.CENTRE})
ERP = Scope(frozenset({"erp"}))
SHANGHAI = Scope(regions=frozenset({"Shanghai"}))
BOTH = Scope(frozenset({"erp"}), frozenset({"Shanghai"}))


def test_every_call_has_a_role_and_only_calls_without_side_effects_are_for_viewers() -> None:
    without_side_effects = {path for path, method in METHODS.items() if method.GetOptions().idempotency_level == 1}

    assert NEEDED_ROLE.keys() == METHODS.keys()
    assert {path for path, role in NEEDED_ROLE.items() if role is Role.VIEWER} <= without_side_effects
    assert NEEDED_ROLE.keys() >= SCOPED_CALLS


@pytest.mark.parametrize("needed", Role)
@pytest.mark.parametrize("caller", Role)
def test_a_role_may_do_what_lower_ones_may(caller: Role, needed: Role) -> None:
    metrics = Metrics()
    gate = Gate([Token("x", caller, digest_of(b"secret"))], metrics)
    if caller >= needed:
        capacities = CENTRE if caller is Role.MANAGER else frozenset()
        admitted = gate.admit("Bearer secret", needed, reads_are_open=False)
        assert admitted == Caller("x", caller, "x", Scope(), capacities)
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


def test_a_token_says_who_calls_in_which_capacity_for_which_part() -> None:
    desk = Token("phone", Role.HANDLER, b"", "li.wei", ERP, desk=True)

    assert desk.caller() == Caller("phone", Role.HANDLER, "li.wei", ERP, frozenset({ActorRole.DESK}))
    assert Token("mona", Role.MANAGER, b"").caller() == Caller("mona", Role.MANAGER, "mona", Scope(), CENTRE)
    assert Token("otto", Role.HANDLER, b"").caller().capacities == frozenset()


@pytest.mark.parametrize(
    ("scope", "businesses", "regions", "allowed"),
    [
        (Scope(), (), (), True),
        (Scope(), ("hr",), ("Beijing",), True),
        (ERP, ("hr", "erp"), (), True),
        (ERP, ("hr",), ("Shanghai",), False),
        (ERP, (), ("Shanghai",), False),
        (SHANGHAI, ("hr",), ("Beijing", "Shanghai"), True),
        (SHANGHAI, ("hr",), ("Beijing",), False),
        (SHANGHAI, ("hr",), (), True),
        (BOTH, ("erp",), ("Shanghai",), True),
        (BOTH, ("erp",), (), True),
        (BOTH, ("erp",), ("Beijing",), False),
        (BOTH, ("hr",), ("Shanghai",), False),
    ],
)
def test_a_thing_is_inside_where_it_touches_a_business_and_a_region_of_the_scope(
    scope: Scope, businesses: tuple[str, ...], regions: tuple[str, ...], *, allowed: bool
) -> None:
    assert scope.allows(businesses, regions) is allowed


def test_figures_of_one_business_or_region_are_inside_where_it_is_named() -> None:
    assert [ERP.has_business(name) for name in ("erp", "hr", "")] == [True, False, False]
    assert [ERP.has_region(name) for name in ("Shanghai", "")] == [True, True]
    assert [SHANGHAI.has_region(name) for name in ("Shanghai", "Beijing", "")] == [True, False, False]


def test_a_token_with_a_scope_is_refused_where_the_call_does_not_judge_by_it() -> None:
    metrics = Metrics()
    scope = Scope(frozenset("abcdefg"), frozenset({"Shanghai"}))
    gate = Gate([Token("x", Role.MANAGER, digest_of(b"secret"), scope=scope)], metrics)

    admitted = gate.admit("Bearer secret", Role.VIEWER, reads_are_open=False, judges_scope=True)
    with pytest.raises(ApiError) as refused:
        gate.admit("Bearer secret", Role.VIEWER, reads_are_open=True)

    assert admitted.scope == scope
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPED_TOKEN")
    assert refused.value.message == (
        "x is for businesses a, b, c, d, e and 2 more; regions Shanghai, and this call cannot be cut down to that; "
        "use a token without businesses and regions"
    )
    assert metrics.value("btimd_api_auth_failures_total", {"reason": "scope"}) == 1

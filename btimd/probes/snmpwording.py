"""What went wrong with a device, and what changed on it, in sentences for people."""

from collections.abc import Iterator, Sequence
from typing import Final

from btimd.model.topology import DeviceFacts, InterfaceFacts, NeighbourFacts
from btimd.probes.snmpsession import NoAnswer, Rejected, Rejection
from btimd.probes.snmptargets import Community, Target, User

_MOST_CHANGES: Final = 20
_UPTIME_WRAPS_AT_SECONDS: Final = 2**32 / 100
_UPTIME_SLACK_SECONDS: Final = 30.0
_MILLIS: Final = 1000.0


def failure_text(target: Target, failure: NoAnswer | Rejected, *, requests: int, answers: int) -> str:
    """Return who did not answer, where, what was seen and what to do. answers: datagrams that came from there."""
    head = f"{target.who} asked with {target.credentials}"
    if isinstance(failure, Rejected):
        return f"{head}: {_rejection(target.credentials, failure)}"
    if isinstance(target.credentials, User) and answers:
        return f"{head}: tells its engine id, but does not answer; check priv_protocol and priv_key_file"
    if isinstance(target.credentials, User):
        return (
            f"{head}: no answer to {requests} requests; check that it is up, that SNMPv3 is on, and firewalls between"
        )
    return (
        f"{head}: no answer to {requests} requests; it is down or not reachable, or it does not know the community or "
        "this address (SNMPv2c does not tell them apart); check with ping, then its community and access list"
    )


_REJECTIONS: Final = {
    Rejection.UNKNOWN_USER: "does not know the user '{user}'; create it there, or correct user",
    Rejection.WRONG_DIGEST: "the key of '{user}' is another one there; check auth_protocol and auth_key_file",
    Rejection.NOT_IN_TIME_WINDOW: "its clock does not go with its answers (not in time window); restart its SNMP agent",
    Rejection.UNSUPPORTED_LEVEL: "'{user}' may not ask with {level}; check auth_protocol and priv_protocol",
    Rejection.DECRYPTION: "cannot decrypt what '{user}' asks; check priv_protocol and priv_key_file",
    Rejection.UNKNOWN_ENGINE: "its engine id changes between answers; check that no two devices share the address",
    Rejection.UNKNOWN_CONTEXT: "does not know the context; correct context, it is almost always empty",
    Rejection.NO_RIGHTS: "may not read anything; give this user or community a view there, or ask at a higher level",
    Rejection.CANNOT_SEND: "cannot be asked from here: {detail}",
    Rejection.BAD_ANSWER: "answers what cannot be understood: {detail}",
}


def _rejection(credentials: Community | User, failure: Rejected) -> str:
    user, level = ("", "") if isinstance(credentials, Community) else (credentials.name, credentials.level)
    return _REJECTIONS[failure.why].format(user=user, level=level, detail=failure.detail)


def nothing_told(target: Target) -> str:
    """Return what is said of a device that answers and tells nothing."""
    return f"{target.who} asked with {target.credentials}: answers, but tells nothing of what was asked; widen its view"


def changes(before: DeviceFacts, after: DeviceFacts) -> tuple[str, ...]:
    """Return what is different on a device, most important first; at most 20 sentences and how many more.

    Facts with an error tell nothing, so nothing has changed; tables that were not read whole are not compared.
    """
    if before.error or after.error:
        return ()
    found = list(_differences(before, after))
    more = len(found) - _MOST_CHANGES
    return (*found[:_MOST_CHANGES], *([f"and {more} more changes"] if more > 0 else []))


def restarted(before: DeviceFacts, after: DeviceFacts) -> bool:
    """Tell whether sysUpTime began anew, other than by its end at 2^32 ticks after 497 days."""
    if before.uptime_seconds is None or after.uptime_seconds is None:
        return False
    expected = before.uptime_seconds + (after.at - before.at) / _MILLIS
    if after.uptime_seconds >= expected - _UPTIME_SLACK_SECONDS:
        return False
    return abs(expected - _UPTIME_WRAPS_AT_SECONDS - after.uptime_seconds) > _UPTIME_SLACK_SECONDS


def _differences(before: DeviceFacts, after: DeviceFacts) -> Iterator[str]:
    if restarted(before, after):
        yield f"restarted {after.uptime_seconds or 0:.0f} s ago"
    for what, old, new in (
        ("name", before.sys_name, after.sys_name),
        ("model", before.model, after.model),
        ("serial number", before.serial, after.serial),
        ("software", before.sys_description, after.sys_description),
        ("chassis id", before.chassis, after.chassis),
    ):
        if old and new and old != new:
            yield f"{what} was '{old}', is '{new}'"
    yield from _interface_differences(before, after)
    if not any(_is_partial(facts, "lldp", "cdp") for facts in (before, after)):
        yield from _neighbour_differences(before, after)


def _is_partial(facts: DeviceFacts, *tables: str) -> bool:
    return any(table in text for text in facts.partial for table in tables)


def _interface_differences(before: DeviceFacts, after: DeviceFacts) -> Iterator[str]:
    old = {interface.index: interface for interface in before.interfaces}
    new = {interface.index: interface for interface in after.interfaces}
    has_states = not any(_is_partial(facts, "ifTable counters") for facts in (before, after))
    for index in sorted(old.keys() & new.keys()):
        yield from _one_interface(old[index], new[index], has_states=has_states)
    if any(_is_partial(facts, "ifTable:", "ifTable,", "ifXTable") for facts in (before, after)):
        return
    yield from (f"interface {old[index].name} is gone" for index in sorted(old.keys() - new.keys()))
    yield from (f"interface {new[index].name} is new" for index in sorted(new.keys() - old.keys()))


def _one_interface(old: InterfaceFacts, new: InterfaceFacts, *, has_states: bool) -> Iterator[str]:
    if old.name != new.name:
        yield f"interface {new.index} was {old.name}, is {new.name}"
        return
    if old.admin_up != new.admin_up:
        yield f"interface {new.name} was switched {'on' if new.admin_up else 'off'}"
    if has_states and old.oper_up != new.oper_up:
        yield f"interface {new.name} went {'up' if new.oper_up else 'down'}"
    if old.speed and new.speed and old.speed != new.speed:
        yield f"interface {new.name} ran at {old.speed / 1e6:g} Mbit/s, runs at {new.speed / 1e6:g} Mbit/s"


def _neighbour_differences(before: DeviceFacts, after: DeviceFacts) -> Iterator[str]:
    names = {interface.index: interface.name for facts in (before, after) for interface in facts.interfaces}

    def seen(neighbours: Sequence[NeighbourFacts]) -> dict[tuple[int, str], str]:
        return {(one.interface, one.name or one.chassis): one.port for one in neighbours}

    old, new = seen(before.neighbours), seen(after.neighbours)
    for which, other, word in ((old, new, "is gone from"), (new, old, "is new on")):
        for interface, neighbour in sorted(which.keys() - other.keys()):
            yield f"neighbour {neighbour} {word} interface {names.get(interface, interface or 'unknown')}"

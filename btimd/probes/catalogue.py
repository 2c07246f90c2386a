"""Which checks there are, what they cost, what must work for them to be good, and what their outcomes tell.

| outcome | icmp | tcp | http | dns | postgres |
|---|---|---|---|---|---|
| good | host is up | somebody listens | application answers right | name is known | SQL is executed |
| refused | - | host up, process down | host up, process down | host up, process down | host up, process down |
| timeout | host down, or filtered | same | same | server down or overloaded | as tcp |
| unreachable | no route, or host gone from its segment | same | same | same | same |
| reset | - | port guarded by something | process died in the answer | - | backend died |
| no-answer | - | - | process hangs: accepts, never answers | - (over TCP: hangs) | hangs, or waits for locks or disk |
| name-error | the host's name is unknown | same | the name is unknown or its server fails | no such name | as tcp |
| wrong-answer | - | - | other status or text | other value, SERVFAIL, REFUSED | an SQL error |
| protocol-error | - | - | another protocol, broken TLS, cut answer | no DNS there | no PostgreSQL there |
| slow | host or path overloaded | same | the application or what it needs is slow | slow server | slow database |

not-permitted, over-budget and local-failure come with health unknown: they say nothing about the target.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes import (
    kinds_applications,
    kinds_basic,
    kinds_databases,
    kinds_hosts,
    kinds_middleware,
    kinds_network,
    kinds_others,
)
from btimd.probes.kinds import Errand, KindSpec, Secrets
from btimd.probes.wire.dialogue import Dialogue

SPECS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    **kinds_basic.KINDS,
    **kinds_network.KINDS,
    **kinds_applications.KINDS,
    **kinds_databases.KINDS,
    **kinds_middleware.KINDS,
    **kinds_hosts.KINDS,
    **kinds_others.KINDS,
})  # fmt: skip

OPTIONS: Final[Mapping[CheckKind, tuple[str, ...]]] = MappingProxyType({
    kind: tuple(spec.options) for kind, spec in SPECS.items()
})  # fmt: skip

_NO_SECRETS: Final[Secrets] = MappingProxyType({})


def defaults_for(kind: CheckKind) -> tuple[float, Closure, bool]:
    """Return (cost, closure, heavy) of a kind of check."""
    found = SPECS[kind]
    return found.cost, found.closure, found.heavy


def needs_port(kind: CheckKind) -> bool:
    """Tell whether the operator must write a port for a kind of check."""
    return SPECS[kind].needs_port


def is_heavy(kind: CheckKind) -> bool:
    """Tell whether checks of a kind count against the heavy budget."""
    return SPECS[kind].heavy


def work_for(check: Check, token: int, secrets: Secrets = _NO_SECRETS) -> Dialogue | Errand:
    """Return what carries the check out; raises ValueError where its options make no sense.

    token: 64 bits of chance that tell its answers from others'. secrets: what the files hold that its options name.
    """
    unknown = sorted(check.options.keys() - set(OPTIONS[check.kind]))
    if unknown:
        known = ", ".join(OPTIONS[check.kind]) or "none"
        raise ValueError(f"option {unknown[0]!r} is unknown for {check.kind}; known: {known}")
    return SPECS[check.kind].build(check, token, secrets)


def dialogue_for(check: Check, token: int, secrets: Secrets = _NO_SECRETS) -> Dialogue:
    """Return the dialogue that carries the check out; raises ValueError where there is none."""
    found = work_for(check, token, secrets)
    if isinstance(found, Errand):
        raise ValueError(f"a {check.kind} check is no single dialogue")  # noqa: TRY004  it is the operator's choice
    return found


def hosts_asked(check: Check) -> tuple[str, ...]:
    """Return whom a check sends something to: its host, and the name server that it was told to use."""
    return SPECS[check.kind].hosts(check)


def problem_of(check: Check) -> str:
    """Return what is wrong with a check's options in words, empty where they are right; for the configuration."""
    try:
        work_for(check, 0)
    except ValueError as error:
        return str(error)
    return ""

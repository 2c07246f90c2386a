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
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.wire.database import PostgresDialogue
from btimd.probes.wire.dialogue import Dialogue, is_address
from btimd.probes.wire.dns import DNS_PORT, DnsDialogue
from btimd.probes.wire.http import HttpDialogue, HttpRequest
from btimd.probes.wire.icmp import IcmpDialogue
from btimd.probes.wire.tcp import TcpDialogue

_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class KindDefaults:
    """What a check of a kind is worth unless its table says otherwise. heavy: counts against the heavy budget."""

    cost: float
    closure: Closure
    heavy: bool


DEFAULTS: Final[Mapping[CheckKind, KindDefaults]] = MappingProxyType({
    CheckKind.ICMP: KindDefaults(1.0, Closure.LOCAL, heavy=False),
    CheckKind.TCP: KindDefaults(1.5, Closure.LOCAL, heavy=False),
    # A name server answers for others from its cache or zone, but what it forwards to must work too.
    CheckKind.DNS: KindDefaults(1.0, Closure.FULL, heavy=False),
    CheckKind.HTTP: KindDefaults(4.0, Closure.FULL, heavy=True),
    # A row needs the database itself and all it stands on: storage, host, network.
    CheckKind.POSTGRES: KindDefaults(6.0, Closure.FULL, heavy=True),
})  # fmt: skip

OPTIONS: Final[Mapping[CheckKind, tuple[str, ...]]] = MappingProxyType({
    CheckKind.ICMP: (),
    CheckKind.TCP: (),
    CheckKind.DNS: ("name", "record", "expect"),
    CheckKind.HTTP: ("path", "expect_status", "expect_text", "host_header", "tls", "resolver"),
    CheckKind.POSTGRES: ("user", "database"),
})  # fmt: skip
_TLS: Final = {"": (False, False), "false": (False, False), "true": (True, True), "unverified": (True, False)}


def defaults_for(kind: CheckKind) -> tuple[float, Closure, bool]:
    """Return (cost, closure, heavy) of a kind of check."""
    found = DEFAULTS[kind]
    return found.cost, found.closure, found.heavy


def dialogue_for(check: Check, token: int) -> Dialogue:
    """Return the dialogue that carries the check out; raises ValueError where its options make no sense.

    token: 64 bits of chance that tell its answers from others'.
    """
    unknown = sorted(check.options.keys() - set(OPTIONS[check.kind]))
    if unknown:
        known = ", ".join(OPTIONS[check.kind]) or "none"
        raise ValueError(f"option {unknown[0]!r} is unknown for {check.kind}; known: {known}")
    match check.kind:
        case CheckKind.ICMP:
            return IcmpDialogue(check.host, token)
        case CheckKind.TCP:
            if not check.port:
                raise ValueError("a tcp check needs a port")
            return TcpDialogue(check.host, check.port)
        case CheckKind.DNS:
            return _dns(check, token)
        case CheckKind.HTTP:
            return _http(check, token)
        case CheckKind.POSTGRES:
            user = check.options.get("user", "postgres")
            return PostgresDialogue(check.host, check.port, user=user, database=check.options.get("database", user))


def hosts_asked(check: Check) -> tuple[str, ...]:
    """Return whom a check sends something to: its host, and the name server that it was told to use."""
    try:
        resolver = _resolver(check.options.get("resolver", "")) if check.kind is CheckKind.HTTP else None
    except ValueError:
        resolver = None  # it will not be asked: dialogue_for refuses the check
    if resolver is None or is_address(check.host) or resolver[0] == check.host:
        return (check.host,)
    return (check.host, resolver[0])


def problem_of(check: Check) -> str:
    """Return what is wrong with a check's options in words, empty where they are right; for the configuration."""
    try:
        dialogue_for(check, 0)
    except ValueError as error:
        return str(error)
    return ""


def _dns(check: Check, token: int) -> Dialogue:
    if not check.options.get("name"):
        raise ValueError('a dns check needs the name to ask for: options = { name = "erp.example" }')
    return DnsDialogue(
        check.host,
        check.port,
        name=check.options["name"],
        record=check.options.get("record", "A").upper(),
        expect=check.options.get("expect", ""),
        query_id=token,
    )


def _http(check: Check, token: int) -> Dialogue:
    tls = check.options.get("tls", "").lower()
    if tls not in _TLS:
        raise ValueError(f'tls {tls!r} is unknown; write "true", "unverified" (any certificate) or "false"')
    secure, verify = _TLS[tls]
    request = HttpRequest(
        host=check.host,
        port=check.port,
        path=check.options.get("path", "/"),
        host_header=check.options.get("host_header", ""),
        expect_status=check.options.get("expect_status", "2xx,3xx"),
        expect_text=check.options.get("expect_text", ""),
        secure=secure,
        verify=verify,
        resolver=_resolver(check.options.get("resolver", "")),
    )
    return HttpDialogue(request, token)


def _resolver(text: str) -> tuple[str, int] | None:
    """Return (address, port) of "10.1.0.53", "10.1.0.53:5353", "::1" or "[::1]:5353"."""
    if not text:
        return None
    if is_address(text):
        return text, DNS_PORT
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not is_address(host) or not (port.isascii() and port.isdigit()) or not 0 < int(port) <= _MAX_PORT:
        raise ValueError(f'resolver {text!r} is no address of a name server; write "10.1.0.53" or "10.1.0.53:5353"')
    return host, int(port)

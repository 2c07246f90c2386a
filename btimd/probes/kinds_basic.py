"""The kinds of checks that every site has: echo, connect, names, pages, SQL of PostgreSQL."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes import options
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.kinds_logon import QUERY, STATE, TLS, account_of, question_of
from btimd.probes.tlsoptions import EXPIRY_OPTIONS, expiry_of
from btimd.probes.wire.dialogue import Dialogue, is_address
from btimd.probes.wire.dns import DNS_PORT, DnsDialogue
from btimd.probes.wire.http import HttpDialogue, HttpRequest
from btimd.probes.wire.icmp import Burst, IcmpDialogue
from btimd.probes.wire.postgres import POSTGRES_PORT, PostgresDialogue
from btimd.probes.wire.tcp import TcpDialogue

_MAX_PORT: Final = 65_535
_TLS: Final = {"": (False, False), "false": (False, False), "true": (True, True), "unverified": (True, False)}


def _icmp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del secrets
    burst = Burst(
        count=options.whole(check.options, "count", 1, low=1, high=20),
        interval_seconds=options.seconds(check.options, "interval", 0.2) or 0.0,
        max_loss=options.share(check.options, "max_loss_percent", 0.0),
        max_rtt_seconds=options.seconds(check.options, "max_rtt", None),
    )
    if (burst.count - 1) * burst.interval_seconds > 0.8 * check.timeout_seconds:
        raise ValueError(f"{burst.count} echoes {burst.interval_seconds:g} s apart do not fit into the time-out")
    return IcmpDialogue(check.host, token, burst)


def _tcp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    if not check.port:
        raise ValueError("a tcp check needs a port")
    return TcpDialogue(
        check.host,
        check.port,
        attempts=options.whole(check.options, "attempts", 1, low=1, high=20),
        max_loss=options.share(check.options, "max_loss_percent", 0.0),
        within_seconds=check.timeout_seconds,
    )


def _postgres(check: Check, token: int, secrets: Secrets) -> Dialogue:
    account = account_of(check, secrets, "postgres")
    return PostgresDialogue(
        check.host,
        check.port,
        user=account.user,
        database=account.database or account.user,
        password=account.password,
        tls=account.tls,
        question=question_of(check),
        token=token,
    )


def _hosts_of_http(check: Check) -> tuple[str, ...]:
    """Return the host, and the name server that the check was told to use."""
    try:
        resolver = _resolver(check.options.get("resolver", ""))
    except ValueError:
        resolver = None  # it will not be asked: the check is refused
    if resolver is None or is_address(check.host) or resolver[0] == check.host:
        return (check.host,)
    return (check.host, resolver[0])


def _dns(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del secrets
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


def _http(check: Check, token: int, secrets: Secrets) -> Dialogue:
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
        ca=secrets.get("ca", ""),
        expiry=expiry_of(check.options),
        version=check.options.get("version", "1.1"),
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


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.ICMP: KindSpec(
        1.0,
        Closure.LOCAL,
        _icmp,
        options={
            "count": "echo requests; default `1`, at most 20",
            "interval": 'between them; default `"200ms"`',
            "max_loss_percent": "how many of them may be lost; default `0`",
            "max_rtt": 'how long an answer may take (median), such as `"50ms"`; default: any time',
        },
    ),
    CheckKind.TCP: KindSpec(
        1.5,
        Closure.LOCAL,
        _tcp,
        needs_port=True,
        options={
            "attempts": "connections, one after the other; default `1`, at most 20",
            "max_loss_percent": "how many of them may fail; default `0`",
        },
    ),
    # A name server answers for others from its cache or zone, but what it forwards to must work too.
    CheckKind.DNS: KindSpec(
        1.0,
        Closure.FULL,
        _dns,
        default_port=DNS_PORT,
        needs_port=True,
        options={
            "name": "the name to ask for; needed",
            "record": 'the type of record; default `"A"`',
            "expect": "a value that must be among the answers; default: any",
        },
    ),
    CheckKind.HTTP: KindSpec(
        4.0,
        Closure.FULL,
        _http,
        heavy=True,
        needs_port=True,
        hosts=_hosts_of_http,
        options={
            "path": 'path and query of the GET; default `"/"`',
            "expect_status": "the one status that is good, such as `200`; default: every 2xx and 3xx",
            "expect_text": "must stand in the first 256 KiB of the body; default: any body",
            "host_header": "the Host header; default: `host`",
            "tls": '`"true"`, `"unverified"` (any certificate) or `"false"` (default)',
            "version": '`"1.1"` (default) or `"2"`: HTTP/2, over TLS by ALPN, without TLS as known beforehand',
            "ca_file": "PEM file of the only authorities to trust; default: the system's",
            **EXPIRY_OPTIONS,
            "resolver": 'the name server to ask for `host`, such as `"10.1.0.53"` or `"10.1.0.53:5353"`; default: the '
            "system's",
        },
    ),
    # A row needs the database itself and all it stands on: storage, host, network.
    CheckKind.POSTGRES: KindSpec(
        6.0,
        Closure.FULL,
        _postgres,
        heavy=True,
        default_port=POSTGRES_PORT,
        needs_port=True,
        options={
            "user": 'default `"postgres"`',
            "database": "default: the name of the user",
            "password_file": "the file that holds the password; without it, being asked for one is good",
            **TLS,
            **QUERY,
            **STATE,
        },
    ),
})  # fmt: skip

"""Settings of what btimd is told without asking: [probes.syslog] and [probes.traps]."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from btimd.model.probe import ErrorClass, Health
from btimd.probes.syslogrules import SyslogRule
from btimd.probes.syslogtable import SHIPPED
from btimd.settings.fields import Duration, HostPort, Section, SettingsPath, is_loopback
from btimd.settings.tables import PrefixField

Meaning = Literal["bad", "over", "change"]
_HEALTH = {"bad": Health.BAD, "over": Health.UNKNOWN, "change": None}
_MOST_PATTERN = 500


def _check_pattern(text: str) -> str:
    if len(text) > _MOST_PATTERN:
        raise ValueError(f"a pattern of {len(text)} characters; {_MOST_PATTERN} at most")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]


class SyslogRuleSettings(Section):
    """[probes.syslog.rules.ID]: what a message means. Its rules go before those that come with btimd."""

    pattern: Pattern
    """Regular expression, searched for in "MNEMONIC TAG: TEXT" in any case; groups named `subject` and `interface` say
    what of the node it is about."""
    meaning: Meaning = "bad"
    """`"over"` takes back what a rule with the same subject said; `"change"` makes the node suspected."""
    error: ErrorClass = ErrorClass.EXCEEDED
    """How it fails, where it is bad."""
    node: str = ""
    """The node it is about; without, the one that has the sender's name or address."""
    sender: Pattern = ""
    """Only of senders whose address or name this regular expression is found in."""
    severity_at_most: int = Field(default=7, ge=0, le=7)
    """Only messages so severe or more: 3 = error, 4 = warning."""
    subject: str = Field(default="", max_length=64)
    """What of the node it is about, where the pattern does not say."""
    text: str = Field(default="", max_length=200)
    """Shown instead of the message."""
    lasts: Annotated[Duration, Field(ge=1, le=86_400)] = 600.0
    """How long it is worth something."""

    def rule(self, name: str) -> SyslogRule:
        """Return the rule."""
        return SyslogRule(
            id=name,
            pattern=re.compile(self.pattern, re.IGNORECASE),
            health=_HEALTH[self.meaning],
            error=self.error,
            node=self.node,
            subject=self.subject,
            text=self.text,
            sender=re.compile(self.sender) if self.sender else None,
            severity_at_most=self.severity_at_most,
            lasts_seconds=self.lasts,
        )


class ListenSettings(Section):
    """What all listeners have: who may send, and how much."""

    allow: tuple[PrefixField, ...] = ()
    """Only senders with addresses in these prefixes; needed where the address listened on is not of loopback: what is
    sent over UDP names any sender."""
    per_second: float = Field(default=1000.0, gt=0, le=1_000_000)
    """Messages of all senders; more are dropped and counted."""
    sender_per_second: float = Field(default=100.0, gt=0, le=1_000_000)
    """Messages of one sender; more are dropped and counted."""
    max_senders: int = Field(default=10_000, ge=1, le=1_000_000)
    """Senders that are told apart; more share one limit."""

    def _check_open(self, key: str, places: tuple[tuple[str, int], ...]) -> None:
        for host, port in places:
            if not is_loopback(host) and not self.allow:
                raise ValueError(
                    f"{key} = {host}:{port} takes messages of everybody; write allow = [...] with the prefixes of "
                    'those that may send, or "0.0.0.0/0" where the network itself is protected'
                )


class SyslogSettings(ListenSettings):
    """[probes.syslog]: where syslog is taken; nowhere unless an address is given."""

    listen: tuple[HostPort, ...] = ()
    """UDP (RFC 5426), such as `["0.0.0.0:514"]`."""
    tcp_listen: tuple[HostPort, ...] = ()
    """TCP (RFC 6587)."""
    tls_listen: tuple[HostPort, ...] = ()
    """TLS (RFC 5425)."""
    cert_file: SettingsPath | None = None
    """Certificate of the TLS listener, with what leads to its authority; PEM."""
    key_file: SettingsPath | None = None
    """Its key, readable by btimd only; PEM."""
    client_ca_file: SettingsPath | None = None
    """Who connects over TLS must show a certificate of this authority; without, none is asked for."""
    connections: int = Field(default=256, ge=1, le=65_536)
    """TCP and TLS connections at a time; each may hold 8 KiB."""
    idle: Annotated[Duration, Field(ge=1)] = 3600.0
    """A connection that brings nothing for so long is closed."""
    shipped_rules: bool = True
    """Use the rules that come with btimd, after your own."""
    rules: dict[str, SyslogRuleSettings] = Field(default_factory=dict)
    """Your own rules, by name; the first that fits decides."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in ("listen", "tcp_listen", "tls_listen"):
            places: Any = getattr(self, key)
            self._check_open(key, places)
        if self.tls_listen and (self.cert_file is None or self.key_file is None):
            raise ValueError("tls_listen needs cert_file and key_file; write both")
        return self

    def all_rules(self) -> tuple[SyslogRule, ...]:
        """Return the rules in the order in which they are tried."""
        own = tuple(one.rule(name) for name, one in self.rules.items())
        return (*own, *SHIPPED) if self.shipped_rules else own


class TrapSettings(ListenSettings):
    """[probes.traps]: where SNMP traps and informs are taken; nowhere unless an address is given.

    Communities and users are those of [probes.snmp] and [probes.snmp_defaults].
    """

    listen: tuple[HostPort, ...] = ()
    """UDP, such as `["0.0.0.0:162"]`."""
    community_file: SettingsPath | None = None
    """One more community that is taken, for devices that are not asked."""
    max_engines: int = Field(default=1000, ge=1, le=100_000)
    """Senders of version 3 whose traps are understood; to know one costs some milliseconds."""
    per_second: float = Field(default=200.0, gt=0, le=100_000)
    sender_per_second: float = Field(default=20.0, gt=0, le=100_000)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_open("listen", self.listen)
        return self

"""Settings of the intake of reports: [itsm.intake], its .smtp, .imap.NAME, .template.NAME and .class.NAME."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from btimd.itsm.intake.classify import SHIPPED as SHIPPED_CLASSES
from btimd.itsm.intake.classify import ClassRule
from btimd.itsm.intake.patterns import checked
from btimd.itsm.intake.storms import StormRules
from btimd.itsm.intake.templates import GROUPS, Template
from btimd.itsm.intake.templatetable import SHIPPED as SHIPPED_TEMPLATES
from btimd.model.incident import Impact, Urgency
from btimd.model.report import ReportChannel, ReportSeverity, ReportSignal
from btimd.model.service import NodeKind
from btimd.settings.fields import Duration, HostPort, Section, SettingsPath, is_loopback
from btimd.settings.tables import PrefixField

_LEVELS: Final = {"high": 1, "medium": 2, "low": 3}
Level = Literal["high", "medium", "low"]
_HOUR: Final = 3600.0


def _check_pattern(text: str) -> str:
    if text:
        checked(text)
    return text


def _check_groups(text: str) -> str:
    pattern = checked(text)
    strange = sorted(set(pattern.groupindex) - set(GROUPS))
    if strange:
        raise ValueError(f"{text!r} names {', '.join(strange)}; a group is one of {', '.join(GROUPS)}")
    if not pattern.groupindex:
        raise ValueError(f"{text!r} names nothing; write what it reads as a group, such as (?P<host>.+)")
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]
GroupPattern = Annotated[str, AfterValidator(_check_groups)]
Words = dict[Annotated[str, Field(max_length=64)], str]


class TemplateSettings(Section):
    """[itsm.intake.template.NAME]: how mails of a system are read. Yours go before those that come with btimd."""

    system: str = Field(default="", max_length=64)
    """Part of what makes two reports the same cause; without, the sender's address."""
    sender: Pattern = ""
    """Only mails whose sender this is found in."""
    subject_has: Pattern = ""
    """Only mails whose subject this is found in."""
    text_has: Pattern = ""
    """Only mails that have a line this is found in."""
    subject: Annotated[tuple[GroupPattern, ...], Field(max_length=16)] = ()
    """Regular expressions, any case, that fit a whole subject, with named groups: host, address, service, severity,
    state, time, id, title."""
    lines: Annotated[tuple[GroupPattern, ...], Field(max_length=32)] = ()
    """The same for a whole line of the text."""
    severities: dict[str, ReportSeverity] = Field(default_factory=dict)
    """What the system's words mean: critical, high, medium, low, info."""
    states: dict[str, ReportSignal] = Field(default_factory=dict)
    """What its words for a state mean: problem, clear, info."""
    needs: tuple[Literal["host", "address", "service", "severity", "state", "time", "id", "title"], ...] = ("host",)
    """Groups without which the mail is not this system's."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.sender or self.subject_has or self.text_has):
            raise ValueError("it takes every mail; write sender, subject_has or text_has")
        read = {name for text in (*self.subject, *self.lines) for name in re.compile(text).groupindex}
        missing = [name for name in self.needs if name not in read]
        if missing:
            raise ValueError(f"needs {', '.join(missing)}, which no pattern of subject or lines reads; add a group")
        return self

    def template(self, name: str) -> Template:
        """Return the template."""
        return Template(
            name=name,
            system=self.system,
            sender_has=checked(self.sender) if self.sender else None,
            subject_has=checked(self.subject_has) if self.subject_has else None,
            text_has=checked(self.text_has) if self.text_has else None,
            subject=tuple(checked(one) for one in self.subject),
            lines=tuple(checked(one) for one in self.lines),
            severities={word.lower(): meaning for word, meaning in self.severities.items()},
            states={word.lower(): meaning for word, meaning in self.states.items()},
            needs=self.needs,
        )


class ClassSettings(Section):
    """[itsm.intake.class.NAME]: a row of the classification; every key given must fit, any of its values will do.

    Your rows go before those that come with btimd, in the order of the file.
    """

    class_: Annotated[str, Field(alias="class", max_length=64)] = ""
    """The class; without, the row's name."""
    channels: tuple[ReportChannel, ...] = ()
    """Only reports that came this way; without, any."""
    sources: tuple[str, ...] = ()
    """Senders, with * and ?."""
    hosts: tuple[str, ...] = ()
    """Hosts as the sender calls them, with * and ?."""
    words: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    """Found in title, check or text, in any case."""
    kinds: tuple[NodeKind, ...] = ()
    """Kinds of the node it is about."""
    severities: tuple[ReportSeverity, ...] = ()
    """Only reports that are called so bad; without, any."""
    templates: tuple[str, ...] = ()
    """What read it, with * and ?: a template of mails, or a rule of syslog or traps, such as "linkDown"."""
    opens: bool | None = None
    """Whether such a report may open an incident; without, `opens` of [itsm.intake] decides by its channel."""
    urgency: Level | None = None
    """What it makes of the urgency; without, the severity decides."""
    impact: Level | None = None
    """What it makes of the impact; without, the business decides."""

    def rule(self, name: str) -> ClassRule:
        """Return the row."""
        return ClassRule(
            class_=self.class_ or name,
            channels=frozenset(self.channels),
            sources=self.sources,
            hosts=self.hosts,
            words=self.words,
            kinds=frozenset(self.kinds),
            severities=frozenset(self.severities),
            urgency=None if self.urgency is None else Urgency(_LEVELS[self.urgency]),
            impact=None if self.impact is None else Impact(_LEVELS[self.impact]),
            templates=self.templates,
            opens=self.opens,
        )


class SmtpSettings(Section):
    """[itsm.intake.smtp]: where mails are taken directly; nowhere unless an address is given."""

    listen: HostPort | None = None
    """Such as `"127.0.0.1:8025"`."""
    allow: tuple[PrefixField, ...] = ()
    """Only senders with addresses in these prefixes; needed where the address listened on is not of loopback."""
    hostname: str = Field(default="btimd", pattern=r"[A-Za-z0-9.-]{1,253}")
    """The name it greets with."""
    recipients: tuple[str, ...] = ()
    """Only mails to these addresses, in lower case, with * and ?; without, to any."""
    max_octets: int = Field(default=10 * 1024 * 1024, ge=1024, le=100 * 1024 * 1024)
    """Larger mails are refused."""
    connections: int = Field(default=64, ge=1, le=4096)
    """At a time; more are told to come again."""
    idle: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    """A connection that brings nothing for so long is closed."""
    cert_file: SettingsPath | None = None
    """Certificate for STARTTLS, with what leads to its authority; PEM."""
    key_file: SettingsPath | None = None
    """Its key, readable by btimd only; PEM."""
    user: str = Field(default="", max_length=128)
    """Who sends must sign in as this user (AUTH PLAIN or LOGIN)."""
    password_file: SettingsPath | None = None
    """Its password; mode 0600."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("STARTTLS needs cert_file and key_file; write both")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("AUTH needs user and password_file; write both")
        if self.listen is not None and not is_loopback(self.listen[0]):
            place = f"listen = {self.listen[0]}:{self.listen[1]}"
            if not self.allow:
                raise ValueError(f"{place} takes mails of everybody; write allow = [...] with those that may send")
            if self.cert_file is None:
                raise ValueError(f"{place} takes mails over the network; write cert_file and key_file for STARTTLS")
        return self


class ImapSettings(Section):
    """[itsm.intake.imap.NAME]: a mailbox that is emptied."""

    server: HostPort
    """Such as `"mail.example.net:993"`."""
    user: str = Field(min_length=1, max_length=254)
    """Who logs in."""
    password_file: SettingsPath
    """Its password; mode 0600."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """`"none"` only to loopback."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    folder: str = Field(default="INBOX", min_length=1, max_length=200)
    """Where mails are looked for."""
    done_folder: str = Field(default="btimd-done", max_length=200)
    """Where mails go that are kept; `""` marks them as seen and leaves them."""
    refused_folder: str = Field(default="btimd-refused", min_length=1, max_length=200)
    """Where automatic answers, bounces and what is too large go."""
    every: Annotated[Duration, Field(ge=0.1, le=3600)] = 30.0
    """How often is looked where the server tells nothing by itself (IDLE)."""
    timeout: Annotated[Duration, Field(ge=1, le=600)] = 30.0
    """How long the server may take to answer."""
    max_octets: int = Field(default=10 * 1024 * 1024, ge=1024, le=100 * 1024 * 1024)
    """Of a larger mail only so much is read."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.security == "none" and not is_loopback(self.server[0]):
            raise ValueError('security = "none" shows the password to everybody on the way; write "tls" or "starttls"')
        folders = [one for one in (self.folder, self.done_folder, self.refused_folder) if one]
        if len(set(folders)) != len(folders):
            raise ValueError("folder, done_folder and refused_folder must differ")
        return self


class IntakeSettings(Section):
    """[itsm.intake]: how reports are taken."""

    smtp: SmtpSettings = SmtpSettings()
    imap: dict[str, ImapSettings] = Field(default_factory=dict)
    template: dict[str, TemplateSettings] = Field(default_factory=dict)
    class_: Annotated[dict[str, ClassSettings], Field(alias="class")] = Field(default_factory=dict)
    shipped_templates: bool = True
    """Read mails also by the templates that come with btimd, after your own."""
    shipped_classes: bool = True
    """Classify also by the rules that come with btimd, after your own."""
    opens: tuple[ReportChannel, ...] = (ReportChannel.EMAIL, ReportChannel.MANUAL)
    """Channels whose reports may open incidents. Those of others are kept, weighed in diagnoses, and added to incidents
    that are open for their cause; a row of `class` with `opens = true` says which of them open one."""
    own_domains: tuple[str, ...] = ()
    """Right sides of the Message-IDs of btimd's own mails: those never become reports."""
    within: Annotated[Duration, Field(ge=0.1, le=300)] = 10.0
    """Where keeping a report takes longer, its sender is told to come again."""
    keep: Annotated[Duration, Field(ge=24 * _HOUR)] | None = None
    """How long reports that were dealt with are kept; left out: for ever."""
    keep_unused: Annotated[Duration, Field(ge=24 * _HOUR)] = 7 * 24 * _HOUR
    """How long reports are kept that could open no incident and belong to none."""
    storm_interval: Annotated[Duration, Field(ge=1, le=_HOUR)] = 60.0
    """Repeated reports of one cause are counted, and told of once in so long."""
    storm_per_second: float = Field(default=2.0, gt=0, le=10_000)
    """Reports of different causes that one source may bring; more are kept and told of in one summary."""
    storm_burst: float = Field(default=60.0, ge=1, le=100_000)
    """How many it may bring at once."""

    def templates(self) -> tuple[Template, ...]:
        """Return the templates in the order in which they are tried."""
        own = tuple(one.template(name) for name, one in self.template.items())
        return (*own, *SHIPPED_TEMPLATES) if self.shipped_templates else own

    def classes(self) -> tuple[ClassRule, ...]:
        """Return the classification in the order in which it is tried."""
        own = tuple(one.rule(name) for name, one in self.class_.items())
        return (*own, *SHIPPED_CLASSES) if self.shipped_classes else own

    def storm_rules(self) -> StormRules:
        """Return what storm control needs of these."""
        return StormRules(self.storm_interval, self.storm_per_second, self.storm_burst)

"""Settings of notification: [itsm.notify], its robots, gateways and mail servers, and operators' own texts."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from btimd.itsm.notify.callbacks import CallbackRules
from btimd.itsm.notify.gateway import PLACEHOLDERS as GATEWAY_PLACEHOLDERS
from btimd.itsm.notify.gateway import GatewayTemplate, check_fields
from btimd.itsm.notify.ladder import DEFAULT_LADDERS, DEFAULT_RENOTIFY, SCREEN, Channel, Rules, Rung
from btimd.itsm.notify.limits import DEFAULT_LIMITS, CostCap, RateLimit
from btimd.itsm.notify.mail import check_mailbox
from btimd.itsm.notify.robots import PER_MINUTE, RobotKind
from btimd.itsm.notify.templates import check
from btimd.itsm.notify.texts import Wording
from btimd.itsm.notify.words import PLACEHOLDERS
from btimd.model.incident import Priority
from btimd.model.notification import Means, QuietHours
from btimd.model.units import Seconds
from btimd.settings.dutyfields import ZoneName
from btimd.settings.fields import Duration, HostPort, Section, SettingsPath, is_loopback

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")
_LIMIT: Final = re.compile(r"(\d{1,6})\s*/\s*(\d{1,5})\s*m")
_STEP: Final = re.compile(r"(screen|im|email|sms|voice|webhook)(?:\s+after\s+(\d{1,3}))?")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")

MeansName = Literal["screen", "im", "email", "sms", "voice", "webhook"]
PriorityName = Literal["P1", "P2", "P3", "P4", "P5"]


def parse_quiet(text: str, from_priority: Priority = Priority.P4) -> QuietHours:
    """Return the quiet hours of "22:00-07:00"; raises ValueError."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} are no hours; write "22:00-07:00"')
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    return QuietHours(from_hour * 60 + from_minute, to_hour * 60 + to_minute, from_priority=from_priority)


def _check_quiet(text: str) -> str:
    if text:
        parse_quiet(text)
    return text


def _rung(text: str) -> Rung:
    match = _STEP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{text!r} is no step; write a means ({", ".join(Means)}), as "sms" or "voice after 1"')
    return Rung(int(match[2] or 0), Means(match[1]))


def _limit(text: str) -> RateLimit:
    match = _LIMIT.fullmatch(text.strip())
    if match is None or int(match[2]) == 0:
        raise ValueError(f'{text!r} is no limit; write how many in how many minutes: "5/15m"')
    return RateLimit(int(match[1]), int(match[2]) * 60.0)


def _check_steps(steps: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    for name, several in steps.items():
        try:
            rungs = [_rung(text) for text in several]
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if not any(rung.after == 0 for rung in rungs):
            raise ValueError(f'{name}: nothing is sent at first; leave "after" out of one step')
        if len({rung.means for rung in rungs}) != len(rungs):
            raise ValueError(f"{name}: a means stands there twice; one step each")
    return steps


def _check_limits(limits: Mapping[str, str]) -> Mapping[str, str]:
    for name, text in limits.items():
        try:
            _limit(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return limits


def _check_url(url: str) -> str:
    """Refuse what is no web address. The message never repeats it: parts of it may be secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"the url is malformed ({error}); write https://host/path") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the url cannot be called; write https://host/path")
    if "@" in parts.netloc:
        raise ValueError("the url holds a user or password; use user and secret_file")
    return url


def _check_plain(url: str, *, allowed: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not allowed:
        raise ValueError(
            f"http to {parts.hostname} shows orders and secrets to everybody on the way; "
            "use https, or set allow_plain_http = true"
        )


class _Http(Section):
    """What robots and gateways have in common."""

    secret_file: SettingsPath | None = None
    """Signs, or stands for {secret}."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    allow_plain_http: bool = False
    """Allow http to another machine: everybody on the way can read orders and secrets."""
    timeout: Annotated[Duration, Field(gt=0)] = 10.0
    """For a whole request."""
    max_in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    """Requests at a time."""
    cost: Annotated[float, Field(ge=0)] = 0.0
    """Of one message part, in any currency; the cap is in the same."""


class RobotSettings(_Http):
    """A chat robot, or a webhook of your own."""

    kind: Literal["wecom", "dingtalk", "feishu", "slack", "teams", "webhook"]
    """Whose robot it is."""
    url_file: SettingsPath
    """Holds the address: its key or token is all that anybody needs to write to the chat."""
    per_minute: Annotated[int, Field(ge=1, le=6000)] | None = None
    """At most so many messages; left out: what the robot's maker allows."""

    @property
    def means(self) -> Means:
        """What it carries."""
        return Means.WEBHOOK if self.kind == "webhook" else Means.IM

    @property
    def pace(self) -> int:
        """Messages in a minute."""
        return self.per_minute or PER_MINUTE[RobotKind(self.kind)]


class GatewaySettings(_Http):
    """An SMS or voice gateway over HTTP."""

    means: Literal["sms", "voice"]
    """What it carries."""
    url: Annotated[str, AfterValidator(_check_url), Field(repr=False)]
    """Where it is called; {names} may stand in it."""
    method: Literal["POST", "PUT", "GET"] = "POST"
    """How it is called."""
    format: Literal["json", "form", "query"] = "json"
    """Where the fields stand: in the body as JSON or as a form, or in the query."""
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    """Further headers; {names} may stand in them."""
    fields: dict[str, Any] = Field(default_factory=dict)
    """Of the body or the query; {to} and {text} must be among them, or in url."""
    user: str = ""
    """HTTP basic authentication, with the secret as password."""
    ok_path: str = ""
    """Where the answer says how it went, as "code" or "data.0.status"; left out: the HTTP status is enough."""
    ok_values: tuple[str, ...] = ()
    """What stands there when all is well."""
    busy_values: tuple[str, ...] = ()
    """What stands there when it wants to be left alone for a minute."""
    account_values: tuple[str, ...] = ()
    """What stands there when nothing gets through until a person looks: no credit, account locked."""
    id_path: str = ""
    """Where the answer says what the gateway calls the message."""
    text_path: str = ""
    """Where the answer says in words what went wrong."""
    per_minute: Annotated[int, Field(ge=1, le=6000)] = 60
    """At most so many messages."""

    @model_validator(mode="after")
    def _can_be_called(self) -> "GatewaySettings":
        _check_plain(self.url, allowed=self.allow_plain_http)
        check_fields(self.url, "url")
        check_fields(self.headers, "headers")
        check_fields(self.fields)
        for name in self.headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"headers: {name!r} is no name of a header")
        written = f"{self.url} {self.fields} {self.headers}"
        missing = [f"{{{name}}}" for name in ("to", "text") if f"{{{name}}}" not in written]
        if missing:
            known = ", ".join(sorted(GATEWAY_PLACEHOLDERS))
            raise ValueError(f"{' and '.join(missing)} stand nowhere in url or fields; known: {known}")
        if "{secret}" in urlsplit(self.url).netloc or "{" in urlsplit(self.url).netloc:
            raise ValueError("the host of the url cannot be a template")
        if ("{secret}" in written or self.user) and self.secret_file is None:
            raise ValueError("{secret} or user is used; give secret_file")
        if bool(self.ok_path) != bool(self.ok_values):
            raise ValueError("ok_path and ok_values belong together; give both or none")
        return self

    def template(self) -> GatewayTemplate:
        """Return what gateway.py needs of these."""
        return GatewayTemplate(
            url=self.url,
            method=self.method,
            format=self.format,
            headers=self.headers,
            fields=self.fields,
            user=self.user,
            ok_path=self.ok_path,
            ok_values=self.ok_values,
            busy_values=self.busy_values,
            account_values=self.account_values,
            id_path=self.id_path,
            text_path=self.text_path,
        )


class MailSettings(Section):
    """A mail server."""

    server: HostPort
    """The mail server."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is protected."""
    sender: Annotated[str, AfterValidator(check_mailbox)]
    """The address that mails come from."""
    sender_name: str = "btimd"
    """The name that mails come from."""
    reply_to: Annotated[str, AfterValidator(lambda text: check_mailbox(text) if text else text)] = ""
    """Where answers go: a mailbox that btimd reads."""
    user: str = ""
    """Who signs in; left out: nobody does."""
    password_file: SettingsPath | None = None
    """Holds the password; mode 0600."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    timeout: Annotated[Duration, Field(gt=0)] = 20.0
    """For each step with the server."""
    max_in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    """Mails at a time."""
    per_minute: Annotated[int, Field(ge=1, le=6000)] = 120
    """At most so many mails."""
    cost: Annotated[float, Field(ge=0)] = 0.0
    """Of one mail."""

    @model_validator(mode="after")
    def _secrets_are_safe(self) -> "MailSettings":
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file belong together; give both or none")
        if self.security == "none" and not is_loopback(self.server[0]) and self.user:
            raise ValueError(f"the password would go to {self.server[0]} in the clear; use starttls or tls")
        return self


class AnswerSettings(Section):
    """What a gateway or robot posts to /answers/NAME of the HTTP listener: answers of people, states of messages."""

    secret_file: SettingsPath
    """Proves the caller: a token, or what signs."""
    scheme: Literal["token", "signed", "dingtalk"] = "token"
    """token: in the Authorization header (Bearer), X-Btimd-Token, or token= of the query. signed: Standard Webhooks."""
    means: Literal["im", "sms", "voice", "webhook"]
    """Of the addresses that answers come from."""
    channel: str = ""
    """The channel that messages went by and that tells of refusals; "" = the first of the means."""
    from_path: str = "from"
    """Where the sender's address stands, as "sender.id"; in forms and queries the name of the field."""
    text_path: str = "text"
    """Where the answer stands: the text, or the digits that were pressed."""
    id_path: str = ""
    """Where the caller's id of this answer stands: the same one is taken once. Left out: the whole body is compared."""
    refers_path: str = ""
    """Where the gateway's id of our message stands that is answered, or whose state is told."""
    state_path: str = ""
    """Where the state of a message stands."""
    delivered_values: tuple[str, ...] = ()
    """What stands there when it reached the device."""
    read_values: tuple[str, ...] = ()
    """What stands there when it was read."""
    failed_values: tuple[str, ...] = ()
    """What stands there when it did not arrive."""
    ok_text: str = "ok"
    """What the caller wants to read where all is well."""

    @model_validator(mode="after")
    def _states_can_be_found(self) -> "AnswerSettings":
        values = self.delivered_values + self.read_values + self.failed_values
        if bool(values) != bool(self.state_path) or (self.state_path and not (self.refers_path and self.channel)):
            raise ValueError("states need state_path, refers_path, channel and at least one of the lists of values")
        return self

    def rules(self) -> CallbackRules:
        """Return what callbacks.py needs of these."""
        return CallbackRules(
            scheme=self.scheme,
            means=Means(self.means),
            channel=self.channel,
            from_path=self.from_path,
            text_path=self.text_path,
            id_path=self.id_path,
            refers_path=self.refers_path,
            state_path=self.state_path,
            delivered_values=self.delivered_values,
            read_values=self.read_values,
            failed_values=self.failed_values,
            ok_text=self.ok_text,
        )


class TextSettings(Section):
    """Own texts of orders, by means. Names in {} are replaced."""

    sms: str = ""
    """Of short messages."""
    im: str = ""
    """Of chat messages."""
    email: str = ""
    """Of mails."""
    voice: str = ""
    """Of what is read out."""
    screen: str = ""
    """Of the screen."""

    @model_validator(mode="after")
    def _names_are_known(self) -> "TextSettings":
        for means, text in self.by_means().items():
            try:
                check(text, PLACEHOLDERS)
            except ValueError as error:
                raise ValueError(f"{means.value}: {error}") from None
        return self

    def by_means(self) -> dict[Means, str]:
        """Return those that are given."""
        return {means: text for means in Means if (text := getattr(self, means.value, ""))}


class NotifySettings(Section):
    """How people are told of orders."""

    sms_parts: Annotated[int, Field(ge=1, le=10)] = 2
    """A short message is cut to so many parts."""
    ladder: Annotated[dict[PriorityName, tuple[str, ...]], AfterValidator(_check_steps)] = Field(default_factory=dict)
    """Means by priority, as ["screen", "im", "sms", "voice after 1"]: after so many repetitions."""
    limit: Annotated[dict[MeansName, str], AfterValidator(_check_limits)] = Field(default_factory=dict)
    """How often one address is used, as sms = "5/15m"."""
    quiet: Annotated[str, AfterValidator(_check_quiet)] = ""
    """Hours in which persons without their own are sent no chat, SMS or call, as "22:00-07:00" by their time."""
    quiet_from: PriorityName = "P4"
    """The quiet hours hold for this priority and less urgent ones."""
    cost_cap_per_day: Annotated[float, Field(gt=0)] | None = None
    """What messages may cost in a day."""
    cost_cap_spares: PriorityName = "P1"
    """Up to this priority messages are sent beyond the cap."""
    centre: tuple[str, ...] = ()
    """Persons of people.toml who watch over all work: told of what nobody can be given and of whom nobody can reach."""
    reporters: bool = True
    """Tell by mail who reported an incident how it goes on."""
    reporter_language: Literal["zh", "en"] = "zh"
    """Of mails to reporters that people.toml does not name."""
    reporter_timezone: ZoneName = "Asia/Shanghai"
    """Of the times in those mails."""
    keep: Annotated[Duration, Field(ge=86_400)] = 90 * 86_400.0
    """How long notices that were sent or given up are kept."""
    hasten: bool = True
    """Use a means of a later step at once where a person is known to answer the others too late."""
    text: dict[Literal["zh", "en"], TextSettings] = Field(default_factory=dict)
    robot: dict[str, RobotSettings] = Field(default_factory=dict)
    gateway: dict[str, GatewaySettings] = Field(default_factory=dict)
    mail: dict[str, MailSettings] = Field(default_factory=dict)
    answer: dict[str, AnswerSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_different(self) -> "NotifySettings":
        names = [*self.robot, *self.gateway, *self.mail, SCREEN.name]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"channel {', '.join(twice)}: the name is taken; each robot, gateway and mail needs its own"
            )
        return self

    def channels(self) -> tuple[Channel, ...]:
        """Return the ways out, those of one means in the order in which they are written."""
        return (
            SCREEN,
            *(Channel(name, robot.means, robot.cost) for name, robot in self.robot.items()),
            *(Channel(name, Means(gateway.means), gateway.cost) for name, gateway in self.gateway.items()),
            *(Channel(name, Means.EMAIL, mail.cost) for name, mail in self.mail.items()),
        )

    def rules(self, renotify: Sequence[Seconds] = ()) -> Rules:
        """Return what ladder.plan needs of these. renotify: of P1 to P5, how soon an order is repeated."""
        repeated = dict(zip(Priority, renotify, strict=True)) if renotify else {}
        ladders = {Priority[name]: tuple(map(_rung, steps)) for name, steps in self.ladder.items()}
        cap = self.cost_cap_per_day
        return Rules(
            channels=self.channels(),
            ladders={**DEFAULT_LADDERS, **ladders},
            renotify={**DEFAULT_RENOTIFY, **repeated},
            limits={**DEFAULT_LIMITS, **{Means(name): _limit(text) for name, text in self.limit.items()}},
            quiet=parse_quiet(self.quiet, Priority[self.quiet_from]) if self.quiet else None,
            cost_cap=None if cap is None else CostCap(cap, Priority[self.cost_cap_spares]),
            hasten=self.hasten,
        )

    def wording(self) -> Wording:
        """Return what texts.write needs of these."""
        return Wording({language: texts.by_means() for language, texts in self.text.items()}, self.sms_parts)

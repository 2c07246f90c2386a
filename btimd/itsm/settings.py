"""Settings of incidents and of the targets that are told about them: [itsm] and [itsm.webhook.NAME]."""

import hashlib
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from btimd.itsm.deadlines import PromiseOf, TimerRules, no_agreement
from btimd.itsm.moment import LifecycleConfig
from btimd.itsm.outbox import DeliveryRules
from btimd.itsm.priority import ImpactLimits, matrix_of
from btimd.settings.fields import Duration, Section, SettingsPath, is_loopback

_VERSION_LENGTH: Final = 12
_ITIL_ROWS: Final = ((1, 2, 3), (2, 3, 4), (3, 4, 5))


def _check_matrix(rows: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
    matrix_of(rows)
    return rows


def _check_url(url: str) -> str:
    """Refuse what is no web address, and secrets where logs could show them. The message never repeats the URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # .port raises where it is none
        (host or "").encode("idna")
    except ValueError as error:
        raise ValueError(f"the url is malformed ({error}); write https://host/path") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"a url with scheme {parts.scheme!r} cannot be called; write https://host/path")
    if not host:
        raise ValueError("the url names no host; write https://host/path")
    if "@" in parts.netloc:
        raise ValueError("the url holds a user or password; requests are signed with secret_file, leave them out")
    if parts.fragment:
        raise ValueError("the url has a #fragment, which is never sent; leave it out")
    return url


class WebhookSettings(Section):
    """A receiver of incidents over HTTP. Every request is signed (docs/webhook.md)."""

    url: Annotated[str, AfterValidator(_check_url), Field(repr=False)]
    """Not in repr: the path of a robot's address is often a secret itself."""
    secret_file: SettingsPath
    """Signs every request."""
    further_secret_files: tuple[SettingsPath, ...] = ()
    """Also sign, while receivers change over to another secret."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    allow_plain_http: bool = False
    timeout: Annotated[Duration, Field(gt=0)] = 30.0
    max_in_flight: Annotated[int, Field(ge=1, le=16)] = 2

    @model_validator(mode="after")
    def _plain_http_is_asked_for(self) -> "WebhookSettings":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.allow_plain_http:
            raise ValueError(
                f"http to {parts.hostname} shows incidents to everybody on the way; "
                "use https, or set allow_plain_http = true"
            )
        return self


_Five = tuple[
    Annotated[Duration, Field(gt=0)],
    Annotated[Duration, Field(gt=0)],
    Annotated[Duration, Field(gt=0)],
    Annotated[Duration, Field(gt=0)],
    Annotated[Duration, Field(gt=0)],
]
"""Durations of P1 to P5."""
_FiveOrNone = tuple[
    Annotated[Duration, Field(ge=0)],
    Annotated[Duration, Field(ge=0)],
    Annotated[Duration, Field(ge=0)],
    Annotated[Duration, Field(ge=0)],
    Annotated[Duration, Field(ge=0)],
]
"""Durations of P1 to P5; 0: none."""
_DEFAULT: Final = TimerRules()


class TimersSettings(Section):
    """How long things may take: five durations each, for P1 to P5."""

    wait: _Five = _DEFAULT.wait
    """A new incident waits so long for somebody to take it before an order goes out."""
    accept: _Five = _DEFAULT.accept
    """An order must be accepted."""
    renotify: _Five = _DEFAULT.renotify
    """An order that is not answered is repeated."""
    response: _FiveOrNone = _DEFAULT.response
    """Promised for the response; 0: nothing is promised. An agreement on the business goes first."""
    resolution: _FiveOrNone = _DEFAULT.resolution
    """Promised for the resolution; 0: nothing is promised. An agreement on the business goes first."""
    stage: _Five = _DEFAULT.stage
    """Work until a report on progress is due."""
    stage_grace: _Five = _DEFAULT.stage_grace
    """The report on progress may be late by so much; then the next level gets the incident."""
    hold: _Five = _DEFAULT.hold
    """An incident taken out of dispatch goes back to it."""
    centre: _Five = _DEFAULT.centre
    """The management centre is told again of what nobody could be given."""
    pending: _Five = _DEFAULT.pending
    """The longest that somebody else may be waited for at a time."""
    reopen: _Five = _DEFAULT.reopen
    """The same trouble within this time of its resolution reopens the incident."""
    survey: _Five = _DEFAULT.survey
    """How long answers to a survey are taken."""

    def rules(self) -> TimerRules:
        """Return what itsm.deadlines needs of these."""
        return TimerRules(**{name: getattr(self, name) for name in type(self).model_fields})


_PERCENT = Literal[0, 50, 75, 90, 100]
_CLOSING_FIELD = Literal["cause", "action", "node", "category", "effort_minutes", "article"]


class ItsmSettings(Section):
    """How incidents are kept and told."""

    reopen_within: Annotated[Duration, Field(gt=0)] | None = None
    """The same trouble within this time of its resolution reopens the incident; then it is closed for good. Left out:
    [itsm.timers] reopen."""
    auto_resolve: bool = True
    """Resolve what cleared by itself before anybody touched it."""
    seen_again_within: Annotated[Duration, Field(gt=0)] | None = None
    """After a start: trouble of an earlier run that no check has seen again by then counts as cleared. Left out: long
    enough for each key indicator to be asked three times."""
    priority_matrix: Annotated[tuple[tuple[int, int, int], ...], AfterValidator(_check_matrix)] = _ITIL_ROWS
    """Rows: impact high, medium, low. Columns: urgency high, medium, low."""
    users_medium: Annotated[int, Field(ge=1)] = 20
    users_high: Annotated[int, Field(ge=1)] = 200
    regions_high: Annotated[int, Field(ge=1)] = 3
    businesses_high: Annotated[int, Field(ge=1)] = 3
    source: str = "/btimd"
    """The `source` of every CloudEvent; give each btimd its own."""
    settle: Annotated[Duration, Field(ge=0)] = 30.0
    """How long a receiver may still be working on a request whose answer was missed; repeats wait for that."""
    backoff_cap: Annotated[Duration, Field(gt=0)] = 300.0
    """The longest pause between attempts to reach a receiver."""
    webhook: dict[str, WebhookSettings] = Field(default_factory=dict)
    timers: TimersSettings = Field(default_factory=TimersSettings)
    digest: Annotated[Duration, Field(ge=0)] = 300.0
    """Targets are told of repeated reports on one incident at most so often."""
    max_candidates: Annotated[int, Field(ge=1)] = 3
    """Orders at one level before the next level is asked."""
    max_returns: Annotated[int, Field(ge=0)] = 3
    """How often handlers may return one incident."""
    dispatch_cleared: bool = False
    """Order somebody also to what cleared by itself after a person had touched it."""
    pending_stops_clock: bool = False
    """The clock of the resolution stands still while somebody else is waited for."""
    escalate_response_percent: _PERCENT = 0
    """At that mark of the time to respond the next level gets the incident; 0: never."""
    escalate_resolution_percent: _PERCENT = 0
    """At that mark of the time to resolve the next level gets the incident; 0: never."""
    closing_fields: tuple[_CLOSING_FIELD, ...] = ()
    """What a closing report must say beside its text."""

    def lifecycle_config(self, promise: PromiseOf = no_agreement) -> LifecycleConfig:
        """Return what itsm.lifecycle needs of these. promise: what agreements say of an incident."""
        return LifecycleConfig(
            reopen_within=self.reopen_within,
            auto_resolve=self.auto_resolve,
            matrix=matrix_of(self.priority_matrix),
            timers=self.timers.rules(),
            promise=promise,
            digest_seconds=self.digest,
            max_candidates=self.max_candidates,
            max_returns=self.max_returns,
            dispatch_cleared=self.dispatch_cleared,
            pending_stops_clock=self.pending_stops_clock,
            escalate_response_percent=self.escalate_response_percent,
            escalate_resolution_percent=self.escalate_resolution_percent,
            closing_fields=self.closing_fields,
        )

    def policy_version(self) -> str:
        """Return a short name of the rules that incidents go by; another name, other rules."""
        rules = self.model_dump_json(exclude={"webhook", "source", "settle", "backoff_cap", "seen_again_within"})
        return hashlib.sha256(rules.encode()).hexdigest()[:_VERSION_LENGTH]

    def impact_limits(self) -> ImpactLimits:
        """Return what itsm.priority needs of these."""
        return ImpactLimits(self.users_medium, self.users_high, self.regions_high, self.businesses_high)

    def delivery_rules(self) -> DeliveryRules:
        """Return what itsm.outbox needs of these."""
        return DeliveryRules(settle_seconds=self.settle, backoff_cap_seconds=self.backoff_cap)

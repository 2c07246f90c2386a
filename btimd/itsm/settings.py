"""Settings of incidents and of those who are told about them: [itsm]; each kind of target: itsm.targetsettings."""

import hashlib
from collections import Counter
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from btimd.itsm.deadlines import PromiseOf, TimerRules, no_agreement
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.moment import LifecycleConfig
from btimd.itsm.notify.settings import NotifySettings
from btimd.itsm.outbox import DeliveryRules
from btimd.itsm.priority import ImpactLimits, matrix_of
from btimd.itsm.targetsettings import (
    AlertmanagerSettings,
    JiraSettings,
    JsmAlertsSettings,
    MailSettings,
    PagerDutySettings,
    ProfileSettings,
    RedmineSettings,
    RequestTrackerSettings,
    ServiceNowEventsSettings,
    ServiceNowSettings,
    SnmpSettings,
    SyslogSettings,
    TwoWaySettings,
    Words,
)
from btimd.settings.fields import Duration, Section, SettingsPath

_VERSION_LENGTH: Final = 12
_ITIL_ROWS: Final = ((1, 2, 3), (2, 3, 4), (3, 4, 5))


def _check_matrix(rows: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
    matrix_of(rows)
    return rows


_OWN_WORDS: Final = {word: word for word in ("accept", "resolve", "close", "reopen", "cancel")}


class WebhookSettings(TwoWaySettings):
    """A receiver of incidents over HTTP. Every request is signed (docs/webhook.md)."""

    secret_file: SettingsPath
    """Signs every request."""
    further_secret_files: tuple[SettingsPath, ...] = ()
    """Also sign, while receivers change over to another secret."""
    refused_for: Annotated[Duration, Field(ge=0)] = 0.0
    """How long an event that is refused is tried again before it becomes a dead letter; every event tells the whole
    incident, so the next one makes good for it."""
    meanings: Words = Field(default_factory=lambda: dict(_OWN_WORDS))
    """What the words in its calls to POST /callbacks/NAME mean here: accept, resolve, close, reopen, cancel."""


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
    backlog_after: Annotated[Duration, Field(gt=0)] = 900.0
    """An incident is opened where something waits longer than this for a target."""
    webhook: dict[str, WebhookSettings] = Field(default_factory=dict)
    intake: IntakeSettings = Field(default_factory=IntakeSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
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
    request_tracker: dict[str, RequestTrackerSettings] = Field(default_factory=dict)
    redmine: dict[str, RedmineSettings] = Field(default_factory=dict)
    servicenow: dict[str, ServiceNowSettings] = Field(default_factory=dict)
    servicenow_events: dict[str, ServiceNowEventsSettings] = Field(default_factory=dict)
    jira: dict[str, JiraSettings] = Field(default_factory=dict)
    jsm_alerts: dict[str, JsmAlertsSettings] = Field(default_factory=dict)
    pagerduty: dict[str, PagerDutySettings] = Field(default_factory=dict)
    alertmanager: dict[str, AlertmanagerSettings] = Field(default_factory=dict)
    mail: dict[str, MailSettings] = Field(default_factory=dict)
    syslog: dict[str, SyslogSettings] = Field(default_factory=dict)
    snmp: dict[str, SnmpSettings] = Field(default_factory=dict)
    profile: dict[str, ProfileSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "ItsmSettings":
        names = Counter(name for _, name in self.target_names())
        for kind, name in self.target_names():
            if names[name] > 1:
                raise ValueError(f"itsm.{kind}.{name}: another target is called {name!r} too; names are unique")
        return self

    def target_names(self) -> list[tuple[str, str]]:
        """Return (kind, name) of every target."""
        kinds = [kind for kind, field in type(self).model_fields.items() if field.default_factory is dict]
        return [(kind, name) for kind in kinds for name in getattr(self, kind)]

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
        targets = {kind for kind, field in type(self).model_fields.items() if field.default_factory is dict}
        rules = self.model_dump_json(
            exclude={
                *targets,
                "intake",
                "notify",
                "source",
                "settle",
                "backoff_cap",
                "backlog_after",
                "seen_again_within",
            }
        )
        return hashlib.sha256(rules.encode()).hexdigest()[:_VERSION_LENGTH]

    def impact_limits(self) -> ImpactLimits:
        """Return what itsm.priority needs of these."""
        return ImpactLimits(self.users_medium, self.users_high, self.regions_high, self.businesses_high)

    def delivery_rules(self) -> DeliveryRules:
        """Return what itsm.outbox needs of these."""
        return DeliveryRules(settle_seconds=self.settle, backoff_cap_seconds=self.backoff_cap)

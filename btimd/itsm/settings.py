"""Settings of incidents and of those who are told about them: [itsm]; each kind of target: itsm.targetsettings."""

from collections import Counter
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from btimd.itsm.changes import LifecycleConfig
from btimd.itsm.outbox import DeliveryRules
from btimd.itsm.priority import ImpactLimits, matrix_of
from btimd.itsm.targetsettings import (
    AlertmanagerSettings,
    HttpTargetSettings,
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
)
from btimd.settings.fields import Duration, Section, SettingsPath

_ITIL_ROWS: Final = ((1, 2, 3), (2, 3, 4), (3, 4, 5))


def _check_matrix(rows: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
    matrix_of(rows)
    return rows


class WebhookSettings(HttpTargetSettings):
    """A receiver of incidents over HTTP. Every request is signed (docs/webhook.md)."""

    secret_file: SettingsPath
    """Signs every request."""
    further_secret_files: tuple[SettingsPath, ...] = ()
    """Also sign, while receivers change over to another secret."""
    refused_for: Annotated[Duration, Field(ge=0)] = 0.0
    """How long an event that is refused is tried again before it becomes a dead letter; every event tells the whole
    incident, so the next one makes good for it."""


class ItsmSettings(Section):
    """How incidents are kept and told."""

    reopen_within: Annotated[Duration, Field(gt=0)] = 86_400.0
    """The same trouble within this time of its resolution reopens the incident; then it is closed for good."""
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

    def lifecycle_config(self) -> LifecycleConfig:
        """Return what itsm.lifecycle needs of these."""
        return LifecycleConfig(self.reopen_within, self.auto_resolve, matrix_of(self.priority_matrix))

    def impact_limits(self) -> ImpactLimits:
        """Return what itsm.priority needs of these."""
        return ImpactLimits(self.users_medium, self.users_high, self.regions_high, self.businesses_high)

    def delivery_rules(self) -> DeliveryRules:
        """Return what itsm.outbox needs of these."""
        return DeliveryRules(settle_seconds=self.settle, backoff_cap_seconds=self.backoff_cap)

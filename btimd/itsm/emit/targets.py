"""The targets that the settings name, built: the one place where kinds and adapters meet."""

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from btimd.itsm import targetsettings as sections
from btimd.itsm.emit.alertmanager import Alertmanager, AlertmanagerTarget
from btimd.itsm.emit.callbackdesk import Callback
from btimd.itsm.emit.callbacks import READERS
from btimd.itsm.emit.courier import Target
from btimd.itsm.emit.httptarget import Adapter, Headers, HttpTarget, OnReference
from btimd.itsm.emit.inbox import Source
from btimd.itsm.emit.jira import Jira
from btimd.itsm.emit.jsmalerts import JsmAlerts
from btimd.itsm.emit.mail import Mail
from btimd.itsm.emit.pagerduty import PagerDuty
from btimd.itsm.emit.profile import ProfileSystem, profile_of
from btimd.itsm.emit.redmine import Redmine
from btimd.itsm.emit.requesttracker import RequestTracker
from btimd.itsm.emit.servicenow import ServiceNow
from btimd.itsm.emit.servicenowevents import ServiceNowEvents
from btimd.itsm.emit.snmp import Snmp
from btimd.itsm.emit.syslog import Syslog
from btimd.itsm.emit.tickets import States
from btimd.itsm.emit.webhook import Webhook
from btimd.itsm.settings import ItsmSettings
from btimd.model.delivery import ProvenAgainst
from btimd.model.ports import Journal
from btimd.runtime.clock import Clock

Secrets: TypeAlias = Mapping[str, str]
Built: TypeAlias = tuple[Adapter, Headers]


def _basic(user: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _request_tracker(given: sections.RequestTrackerSettings, secrets: Secrets) -> Built:
    states = States(given.states, given.priorities, given.meanings)
    adapter = RequestTracker(given.queue, given.incident_field, given.seq_field, given.user, states)
    return adapter, {"Authorization": f"token {secrets['token_file']}"}


def _redmine(given: sections.RedmineSettings, secrets: Secrets) -> Built:
    states = States(given.states, given.priorities, given.meanings)
    adapter = Redmine(given.project, given.tracker_id, given.incident_field, given.seq_field, given.user, states)
    return adapter, {"X-Redmine-API-Key": secrets["key_file"]}


def _servicenow(given: sections.ServiceNowSettings, secrets: Secrets) -> Built:
    states = States(given.states, {}, given.meanings)
    adapter = ServiceNow(states, given.user, given.assignment_group, given.close_code)
    return adapter, _basic(given.user, secrets["password_file"])


def _servicenow_events(given: sections.ServiceNowEventsSettings, secrets: Secrets) -> Built:
    return ServiceNowEvents(given.source), _basic(given.user, secrets["password_file"])


def _jira(given: sections.JiraSettings, secrets: Secrets) -> Built:
    cloud, token = given.deployment == "cloud", secrets["token_file"]
    states = States(given.states, given.priorities, given.meanings)
    adapter = Jira(given.project, given.issue_type, cloud, given.user, states)
    return adapter, _basic(given.user_email, token) if cloud else {"Authorization": f"Bearer {token}"}


def _jsm_alerts(given: sections.JsmAlertsSettings, secrets: Secrets) -> Built:
    return JsmAlerts(given.source, given.tags), {"Authorization": f"GenieKey {secrets['key_file']}"}


def _pagerduty(given: sections.PagerDutySettings, secrets: Secrets) -> Built:
    return PagerDuty(secrets["key_file"], given.source), {}


def _alertmanager(given: sections.AlertmanagerSettings, secrets: Secrets) -> Built:
    password = secrets.get("password_file")
    return Alertmanager(given.labels), {} if password is None else _basic(given.user, password)


def _profile(given: sections.ProfileSettings, secrets: Secrets) -> Built:
    try:
        text = given.profile.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read the profile {given.profile}: {error}") from None
    profile = profile_of(text, str(given.profile))
    states = States(profile.states, profile.priorities, {})
    return ProfileSystem(profile, states, given.user, secrets["token_file"]), {}


_OVER_HTTP: Final[Mapping[str, tuple[Callable[[Any, Secrets], Built], type[HttpTarget]]]] = {
    "request_tracker": (_request_tracker, HttpTarget),
    "redmine": (_redmine, HttpTarget),
    "servicenow": (_servicenow, HttpTarget),
    "servicenow_events": (_servicenow_events, HttpTarget),
    "jira": (_jira, HttpTarget),
    "jsm_alerts": (_jsm_alerts, HttpTarget),
    "pagerduty": (_pagerduty, HttpTarget),
    "alertmanager": (_alertmanager, AlertmanagerTarget),
    "profile": (_profile, HttpTarget),
}
_SECRETS: Final = ("token_file", "key_file", "password_file")


def targets_of(
    settings: ItsmSettings, journal: Journal, clock: Clock, on_reference: OnReference | None = None
) -> list[Target]:
    """Return the targets, not started. Their names are what messages are addressed to."""
    found: list[Target] = [Webhook(name, one, clock) for name, one in settings.webhook.items()]
    found += [Mail(name, one, clock) for name, one in settings.mail.items()]
    found += [Syslog(name, one) for name, one in settings.syslog.items()]
    found += [Snmp(name, one) for name, one in settings.snmp.items()]
    for kind, (make, target) in _OVER_HTTP.items():
        for name, section in getattr(settings, kind).items():
            found.append(
                target(
                    name=name,
                    kind=kind,
                    settings=section,
                    secret_files=_secret_files(section),
                    make=_maker(make, section),
                    journal=journal,
                    clock=clock,
                    on_reference=on_reference,
                )
            )
    return found


def _maker(make: Callable[[Any, Secrets], Built], section: Any) -> Callable[[Secrets], Built]:
    return lambda secrets: make(section, secrets)


def _secret_files(section: Any) -> dict[str, Path]:
    paths = {name: getattr(section, name, None) for name in _SECRETS}
    return {name: path for name, path in paths.items() if path is not None}


TIERS: Final[Mapping[str, tuple[int, ProvenAgainst]]] = {
    "webhook": (1, ProvenAgainst.REAL_SERVER),
    "request_tracker": (1, ProvenAgainst.REAL_SERVER),
    "redmine": (1, ProvenAgainst.REAL_SERVER),
    "servicenow": (1, ProvenAgainst.PUBLISHED_RULES),
    "servicenow_events": (1, ProvenAgainst.PUBLISHED_RULES),
    "jira": (1, ProvenAgainst.PUBLISHED_RULES),
    "jsm_alerts": (1, ProvenAgainst.PUBLISHED_RULES),
    "pagerduty": (1, ProvenAgainst.PUBLISHED_RULES),
    "alertmanager": (1, ProvenAgainst.REAL_SERVER),
    "mail": (1, ProvenAgainst.REAL_SERVER),
    "syslog": (2, ProvenAgainst.REAL_SERVER),
    "snmp": (2, ProvenAgainst.REAL_SERVER),
    "profile": (2, ProvenAgainst.PUBLISHED_RULES),
}
"""Tier of each kind of target, and what its adapter was tested against."""


def sources_of(settings: ItsmSettings, targets: Sequence[Target]) -> list[Source]:
    """Return the targets that are asked what people changed there."""
    found = []
    for kind, name in settings.target_names():
        section = getattr(settings, kind)[name]
        target = next((one for one in targets if one.name == name), None)
        if isinstance(target, HttpTarget) and section.poll is not None and hasattr(section, "meanings"):
            found.append(
                Source(
                    name=name,
                    every=section.poll,
                    adapter=target.pollable,
                    carry_out=target.carry_out,
                    meanings=section.meanings,
                    own_users=_own_users(section),
                )
            )
    return found


def _own_users(section: Any) -> frozenset[str]:
    return frozenset({getattr(section, "user", "")} - {""})


def callbacks_of(settings: ItsmSettings) -> dict[str, Callback]:
    """Return the targets that tell by themselves what people changed there."""
    found = {}
    for kind, name in settings.target_names():
        section = getattr(settings, kind)[name]
        secret_files = getattr(section, "callback_secret_files", ())
        if secret_files:
            found[name] = Callback(
                form=kind if kind in READERS else "generic",
                secret_files=secret_files,
                meanings=section.meanings,
                own_users=_own_users(section),
            )
    return found

"""The targets that the settings name, built: the one place where kinds and adapters meet."""

from collections.abc import Mapping, Sequence

from btimd.itsm.emit.courier import Target
from btimd.itsm.emit.httptarget import HttpTarget
from btimd.itsm.emit.inbox import Source
from btimd.itsm.emit.redmine import Redmine
from btimd.itsm.emit.requesttracker import RequestTracker
from btimd.itsm.emit.tickets import States
from btimd.itsm.emit.webhook import Webhook
from btimd.itsm.settings import ItsmSettings
from btimd.itsm.targetsettings import RedmineSettings, RequestTrackerSettings
from btimd.model.ports import Journal
from btimd.runtime.clock import Clock


def targets_of(settings: ItsmSettings, journal: Journal, clock: Clock) -> list[Target]:
    """Return the targets, not started. Their names are what messages are addressed to."""
    found: list[Target] = [Webhook(name, one, clock) for name, one in settings.webhook.items()]
    found += [request_tracker(name, one, journal, clock) for name, one in settings.request_tracker.items()]
    found += [redmine(name, one, journal, clock) for name, one in settings.redmine.items()]
    return found


def request_tracker(name: str, settings: RequestTrackerSettings, journal: Journal, clock: Clock) -> HttpTarget:
    """Return a queue of Request Tracker."""

    def make(secrets: Mapping[str, str]) -> tuple[RequestTracker, dict[str, str]]:
        states = States(settings.states, settings.priorities, settings.meanings)
        adapter = RequestTracker(settings.queue, settings.incident_field, settings.seq_field, settings.user, states)
        return adapter, {"Authorization": f"token {secrets['token']}"}

    return HttpTarget(
        name=name,
        kind="request_tracker",
        settings=settings,
        secret_files={"token": settings.token_file},
        make=make,
        journal=journal,
        clock=clock,
    )


def redmine(name: str, settings: RedmineSettings, journal: Journal, clock: Clock) -> HttpTarget:
    """Return a project of Redmine."""

    def make(secrets: Mapping[str, str]) -> tuple[Redmine, dict[str, str]]:
        states = States(settings.states, settings.priorities, settings.meanings)
        adapter = Redmine(
            settings.project, settings.tracker_id, settings.incident_field, settings.seq_field, settings.user, states
        )
        return adapter, {"X-Redmine-API-Key": secrets["key"]}

    return HttpTarget(
        name=name,
        kind="redmine",
        settings=settings,
        secret_files={"key": settings.key_file},
        make=make,
        journal=journal,
        clock=clock,
    )


def sources_of(settings: ItsmSettings, targets: Sequence[Target]) -> list[Source]:
    """Return the targets that are asked what people changed there."""
    found = []
    for kind, name in settings.target_names():
        section = getattr(settings, kind)[name]
        target = next((one for one in targets if one.name == name), None)
        if isinstance(target, HttpTarget) and getattr(section, "poll", None) and hasattr(section, "meanings"):
            found.append(
                Source(
                    name=name,
                    every=section.poll,
                    adapter=target.pollable,
                    carry_out=target.carry_out,
                    meanings=section.meanings,
                    own_users=frozenset({section.user}),
                )
            )
    return found

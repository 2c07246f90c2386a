"""Builds what listens for messages of devices: syslog and SNMP notifications."""

from collections.abc import Callable

from btimd.daemon.use import SnmpAccess
from btimd.model.heard import Told
from btimd.model.sign import SignSource
from btimd.probes.settings import ProbeSettings
from btimd.probes.snmptargets import Community, User
from btimd.probes.syslogs import SyslogListener
from btimd.probes.traps import TrapListener
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret
from btimd.settings.report import Problem, SettingsError

_SOME_ADDRESS = "192.0.2.1"


def build_listeners(
    settings: ProbeSettings,
    access: SnmpAccess,
    on_told: Callable[[Told], None],
    not_understood: Callable[[SignSource, str, str], None],
    *,
    metrics: Metrics,
    clock: Clock,
) -> tuple[SyslogListener, TrapListener]:
    """Return both; they listen only where the settings say. Raises SettingsError for a community that is missing."""
    syslog = SyslogListener(
        settings.syslog,
        on_told=on_told,
        not_understood=not_understood,
        metrics=metrics,
        clock=clock,
        log=Log("probes.syslog"),
    )
    traps = TrapListener(
        settings.traps,
        notifiers(settings, access),
        on_told=on_told,
        not_understood=not_understood,
        metrics=metrics,
        clock=clock,
        log=Log("probes.traps"),
    )
    return syslog, traps


def notifiers(settings: ProbeSettings, access: SnmpAccess) -> list[Community | User]:
    """Return the credentials that notifications are believed with: those that devices are asked with, and one more."""
    targets, exporter = access
    found = [target.credentials for target in targets]
    if exporter is not None:
        found.append(exporter(_SOME_ADDRESS).credentials)
    if settings.traps.community_file is not None:
        try:
            found.append(Community(read_secret(settings.traps.community_file)))
        except ValueError as error:
            raise SettingsError([Problem("btimd.toml", 0, "probes.traps.community_file", str(error))]) from error
    return list(dict.fromkeys(found))

"""Who carries out probes that are more than one dialogue: paths, plugins, exporters, SNMP; and what they may read."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from btimd.probes.errands import Runner
from btimd.probes.hostmibs import HostErrand
from btimd.probes.kinds import Errand
from btimd.probes.kinds_others import PluginErrand, ScrapeErrand
from btimd.probes.mtu import MtuRunner
from btimd.probes.path import PathRunner
from btimd.probes.plugins import Plugins
from btimd.probes.scrapes import Scrapes
from btimd.probes.settings import ProbeSettings
from btimd.probes.snmpchecks import SnmpChecks
from btimd.probes.snmptargets import Target
from btimd.probes.transport import Transport
from btimd.probes.walks import MtuErrand, PathErrand
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret


def read_option_file(path: str, *, secret: bool) -> str:
    """Return what a file holds that an option of a check names, without the line's end.

    secret: nobody else may be able to read it. Raises ValueError in words, OSError.
    """
    if secret:
        return read_secret(Path(path)).decode()
    return Path(path).read_text(encoding="utf-8")


class Runners:
    """One runner per class of errand; a Component. devices: of [probes.snmp.NAME], whose credentials checks may use."""

    name = "probes.runners"

    def __init__(self, settings: ProbeSettings, devices: tuple[Target, ...], *, metrics: Metrics, clock: Clock) -> None:
        log = Log("probes")
        self._plugins = Plugins(settings.plugins, metrics=metrics, log=log)
        self._snmp = SnmpChecks(devices, clock=clock, metrics=metrics)
        scrapes = Scrapes(Transport(clock, log), clock=clock, metrics=metrics)
        self.by_errand: Mapping[type[Errand], Runner] = {
            PathErrand: PathRunner(),
            MtuErrand: MtuRunner(),
            PluginErrand: self._plugins,
            ScrapeErrand: scrapes,
            HostErrand: self._snmp,
        }

    def swap(self, settings: ProbeSettings, devices: tuple[Target, ...]) -> None:
        """Go on with other settings and credentials."""
        self._plugins.swap(settings.plugins)
        self._snmp.swap(devices)

    async def start(self) -> None:
        """Take nothing."""

    async def run(self) -> None:
        """Wait."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Give back what sessions hold; may be called twice."""
        await self._snmp.close()

    def health(self) -> ComponentHealth:
        """There is nothing that could be wrong."""
        return ComponentHealth()

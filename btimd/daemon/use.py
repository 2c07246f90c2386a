"""Small ties between the parts that show how businesses are used."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ParamSpec

from btimd.daemon.config import Config
from btimd.daemon.losses import Loss, losses, traffic_losses, user_losses
from btimd.daemon.usercounts import users_on_line
from btimd.flows.component import FlowPipeline
from btimd.flows.plan import PlanEntry
from btimd.flows.planservice import PlanInForce, PlanService
from btimd.model.ports import Exporter, FlowView
from btimd.model.topology import DeviceFacts, TopologyView
from btimd.model.units import UnixSeconds
from btimd.probes.inventory import Inventory
from btimd.probes.settings import ProbeSettings
from btimd.probes.snmptargets import Target, exporter_target, targets_of
from btimd.runtime.clock import Clock, wall_milliseconds
from btimd.runtime.lifecycle import ComponentHealth
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret
from btimd.settings.report import Problem, SettingsError

P = ParamSpec("P")
_MINUTE_MILLISECONDS = 60_000
_MOST_ROWS = 100_000
_MOST_HOPS = 1000
_SOME_ADDRESS = "192.0.2.1"
"""Stands for any exporter where credentials are checked: an address of no network (RFC 5737)."""


def exporter_text(exporters: Iterable[Exporter], exporter_id: int) -> str:
    """Return the name of an exporter, its address where it has none, "" where it is not known."""
    return next((one.name or one.address for one in exporters if one.id == exporter_id), "")


def plan_in_force(config: Config, flows: FlowPipeline) -> PlanInForce:
    """Return the plan of a configuration that the flow pipeline has gone over to."""
    return PlanInForce(flows.attribution, config.plan_entries, config.services.graph.businesses)


def users_in_all(flows: FlowView, businesses: Sequence[str]) -> Mapping[str, int]:
    """Return how many users each business has on line, {} where nobody knows."""
    counts = users_on_line(flows, businesses) or {}
    return {business: sum(one.active + one.idle for one in regions) for business, regions in counts.items()}


def losses_of(flows: FlowPipeline, business: str, began: UnixSeconds, clock: Clock) -> Sequence[Loss]:
    """Return what a business has lost since a time, () where no flows are seen; call it in a thread."""
    if not flows.exporters() and not flows.spans():
        return ()
    began_milliseconds = round(began * 1000)
    rows = flows.windows(interval_milliseconds=_MINUTE_MILLISECONDS, business=business, limit=_MOST_ROWS)
    regions = [row.region for row in flows.attribution.plan.rows]
    return losses(
        user_losses(flows.clients(), regions, business, began_milliseconds),
        traffic_losses(rows, began_milliseconds, wall_milliseconds(clock)),
    )


def businesses_over(topology: TopologyView, businesses: Iterable[str], device: str) -> Sequence[str]:
    """Return the businesses whose traffic ran over a device lately."""
    return [
        business
        for business in businesses
        if any(hop.device == device for hop in topology.business_path(business, limit=_MOST_HOPS))
    ]


def prefixes_by_region(entries: Iterable[PlanEntry]) -> Mapping[str, frozenset[str]]:
    """Return the prefixes of an IP plan by region."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        found.setdefault(entry.region, set()).add(entry.prefix)
    return {region: frozenset(prefixes) for region, prefixes in found.items()}


def names_of_devices(devices: Iterable[DeviceFacts]) -> Mapping[str, tuple[str, ...]]:
    """Return what else devices are called, by name: where they are asked, and the addresses of their interfaces."""
    return {
        device.name: tuple(
            dict.fromkeys(
                (
                    device.address,
                    device.sys_name,
                    *(address.partition("/")[0] for one in device.interfaces for address in one.addresses),
                )
            )
        )
        for device in devices
    }


def in_turn(*called: Callable[P, object]) -> Callable[P, None]:
    """Return what calls one after the other with the same."""

    def call(*args: P.args, **more: P.kwargs) -> None:
        for one in called:
            one(*args, **more)

    return call


class Closing:
    """Something that works for who asks and must be closed in the end, as a Component."""

    def __init__(self, name: str, close: Callable[[], None]) -> None:
        self._name = name
        self._close = close

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return self._name

    async def start(self) -> None:
        """Take nothing."""

    async def run(self) -> None:
        """Wait."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Close it; may be called twice."""
        await asyncio.to_thread(self._close)

    def health(self) -> ComponentHealth:
        """There is nothing that could be wrong."""
        return ComponentHealth()


class PlanWatch:
    """Looks for new unexpected talkers and counts them, and what had no room."""

    def __init__(self, plan: PlanService, metrics: Metrics) -> None:
        self._plan = plan
        self._found = metrics.counter(
            "btimd_flows_unexpected_talkers_total",
            "Clients that began to use a business from elsewhere than it expects",
        )
        self._untold = metrics.counter(
            "btimd_flows_unexpected_untold_total", "Unexpected talkers that were too many at once to be told one by one"
        )
        self._forgotten = metrics.counter(
            "btimd_flows_unexpected_forgotten_total",
            "Unexpected talkers forgotten for want of room; told again if seen",
        )
        self._before = (0, 0)

    async def look(self) -> None:
        """Look once."""
        found = await self._plan.look()
        self._found.inc(len(found))
        untold, forgotten = self._plan.watch.untold, self._plan.watch.forgotten
        self._untold.inc(untold - self._before[0])
        self._forgotten.inc(forgotten - self._before[1])
        self._before = untold, forgotten


async def ask_exporters(flows: FlowView, inventory: Inventory) -> None:
    """Tell who asks devices of every exporter there is; those that it knows cost nothing."""
    for exporter in flows.exporters():
        inventory.exporter_seen(exporter.address)


SnmpAccess = tuple[tuple[Target, ...], Callable[[str], Target] | None]
"""The devices to ask by SNMP, and what makes a target of an exporter's address; None = exporters are not asked."""


def snmp_access(settings: ProbeSettings) -> SnmpAccess:
    """Return whom to ask by SNMP and how; raises SettingsError for credentials that are missing or do not fit."""
    targets, problems = targets_of(settings.snmp, settings.snmp_defaults, read_secret)
    found = [Problem("btimd.toml", 0, f"probes.snmp.{name}", text) for name, text in problems]
    defaults = settings.snmp_defaults
    if defaults.exporters:
        try:
            exporter_target(_SOME_ADDRESS, defaults, read_secret)
        except ValueError as error:
            found.append(Problem("btimd.toml", 0, "probes.snmp_defaults", str(error)))
    if found:
        raise SettingsError(found)
    if not defaults.exporters:
        return tuple(targets), None
    return tuple(targets), lambda address: exporter_target(address, defaults, read_secret)


def build_inventory(
    config: Config,
    *,
    metrics: Metrics,
    clock: Clock,
    on_facts: Callable[[DeviceFacts], None],
    on_change: Callable[[str, str], None],
) -> Inventory:
    """Return what asks devices by SNMP; raises SettingsError."""
    probes = config.settings.probes
    targets, exporter = snmp_access(probes)
    return Inventory(
        settings=probes.snmp_defaults,
        targets=targets,
        metrics=metrics,
        clock=clock,
        log=Log("probes.snmp"),
        on_facts=on_facts,
        on_change=on_change,
        exporter=exporter,
    )

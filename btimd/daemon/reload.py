"""Goes over to a new configuration while running: everything that can fail is done before anything is touched."""

import asyncio
from functools import partial

from btimd.daemon.config import Config
from btimd.daemon.maintenance import files_of
from btimd.daemon.settings import RootSettings
from btimd.daemon.use import plan_in_force, prefixes_by_region, snmp_access
from btimd.daemon.usercounts import user_thresholds
from btimd.daemon.wiring import Wired, build_attribution
from btimd.flows.settings import PersonSettings, TopologyOptions
from btimd.itsm.notify.settings import NotifySettings
from btimd.probes.settings import SnmpDefaultSettings
from btimd.settings.report import Problem, SettingsError
from btimd.sla.agreements import needs_of

_KEPT = ("daemon", "capture", "flows", "store", "probes", "rca", "itsm", "knowledge", "problem", "survey", "sla", "api")


async def swap(wired: Wired, built_with: Config, new: Config) -> tuple[str, ...]:
    """Put plan, rules, graph, businesses, exporters and tokens of a new configuration in force; call it on the loop.

    Sockets, stores, journal and API stay; the tables of btimd.toml that differ from those the components were built
    with, and so take effect at the next start only, are returned. Raises SettingsError before anything has changed.
    """
    attribution = await asyncio.to_thread(build_attribution, new)
    graph, flow_settings = new.services.graph, new.settings.flows
    snmp, exporter = snmp_access(new.settings.probes)
    itsm = new.settings.itsm
    try:
        channels = await wired.notices.prepare(itsm.notify, itsm.timers.renotify)
    except ValueError as error:
        raise SettingsError([Problem("btimd.toml", 0, "", str(error))]) from error
    try:
        wired.api.reload_tokens()
    except ValueError as error:  # the last thing that can fail, and it keeps the old tokens when it does
        await wired.notices.give_up(channels)
        raise SettingsError([Problem("tokens", 0, "", str(error))]) from error
    await wired.persons.reload(flow_settings.persons)
    plan_before = prefixes_by_region(wired.plan.in_force.entries)
    wired.flows.swap(attribution)
    thresholds = user_thresholds(graph.businesses, flow_settings.user_active, flow_settings.user_idle)
    wired.flows.set_thresholds(thresholds)
    wired.baselines.swap(new.services.businesses)
    wired.links.reconfigure(flow_settings.links, flow_settings.topology)
    asked = {facts.name for facts in wired.inventory.devices()}
    wired.inventory.swap(snmp, new.settings.probes.snmp_defaults, exporter)
    wired.links.forget(sorted(asked - {facts.name for facts in wired.inventory.devices()}))
    wired.span_lines.relabel()
    capture = new.settings.capture
    wired.flows.between_blocks(partial(wired.decoder.set_rules, capture.exporter_rules(), capture.netflow.allow))
    wired.capture.swap(capture)
    wired.runners.swap(new.settings.probes, snmp)
    wired.declared.graph, wired.declared.plan_entries = graph, new.plan_entries
    wired.decisions.swap(graph)
    wired.rca.swap(graph)
    wired.signs.swap(graph)
    wired.signs.plan_changed(plan_before, prefixes_by_region(new.plan_entries))
    wired.probes.swap(graph)
    wired.views.swap(new.services.groups, new.services.indicators)
    wired.sla.swap(graph.businesses, new.agreements, needs_of(graph))
    wired.maintenance.swap(files_of(new))
    wired.levels.swap(graph, new.calendars)
    wired.duty.reload(new.people, new.rota)
    await wired.rota_watch.reload(new.rota_calendars)
    wired.notices.swap(channels, new.people)
    wired.intake.reload(new.settings.itsm.intake)
    wired.growth.reconfigure(new.settings.rca.growth.options())
    await wired.growth.look()
    await wired.plan.swap(plan_in_force(new, wired.flows))
    before, after = _kept(built_with.settings), _kept(new.settings)
    return tuple(name for name in _KEPT if getattr(before, name) != getattr(after, name))


def _kept(settings: RootSettings) -> RootSettings:
    """Return the settings without those that come into force at once."""
    persons = settings.flows.persons.model_copy(update={"dhcp": {}, "list": PersonSettings().list})
    flows = settings.flows.model_copy(update={"topology": TopologyOptions(), "persons": persons})
    probes = settings.probes.model_copy(update={"snmp": {}, "snmp_defaults": SnmpDefaultSettings()})
    netflow = settings.capture.netflow.model_copy(update={"allow": ()})
    capture = settings.capture.model_copy(update={"netflow": netflow, "exporter": {}})
    sla = settings.sla.model_copy(update={"agreement": {}})
    intake = settings.itsm.intake.model_copy(
        update={
            "template": {},
            "class_": {},
            **dict.fromkeys(("shipped_templates", "shipped_classes"), True),
            **dict.fromkeys(("storm_interval", "storm_per_second", "storm_burst"), 1.0),
            "opens": (),
        }
    )
    itsm = settings.itsm.model_copy(update={"intake": intake, "notify": NotifySettings()})
    return settings.model_copy(update={"capture": capture, "flows": flows, "probes": probes, "sla": sla, "itsm": itsm})

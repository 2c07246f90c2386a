"""Every module has its test file, every library its home: rules that are checked, not remembered."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "btimd"

# Modules without behaviour of their own, or whose behaviour is tested where the reason says.
WITHOUT_TEST_FILE = {
    "__main__.py": "runs cli/btimd.py",
    "api/calls_agreements.py": "tests/api/test_agreements.py",
    "api/calls_archive.py": "tests/api/test_archive.py",
    "api/calls_maintenance.py": "tests/api/test_maintenance.py",
    "api/convert_agreements.py": "tests/api/test_agreements.py",
    "api/convert_maintenance.py": "tests/api/test_maintenance.py",
    "model/levels.py": "records and a protocol; tests/api/test_agreements.py",
    "api/calls_rota.py": "tests/api/test_rota.py",
    "api/convert_rota.py": "tests/api/test_rota.py",
    "model/rotaview.py": "a record and a protocol; tests/api/test_rota.py",
    "model/maintenance.py": "tests/sla/test_windows.py",
    "api/convert_archive.py": "tests/api/test_archive.py",
    "capture/wire/counters.py": "records; tests/capture/wire/test_decoder.py and test_exporters.py",
    "capture/wire/domains.py": "tests/capture/wire/test_templates.py and test_exporters.py",
    "capture/wire/element_table.py": "a table; tests/capture/wire/test_elements.py",
    "capture/wire/vendor_table.py": "a table; tests/capture/wire/test_elements.py",
    "capture/wire/errors.py": "an exception; tests/capture/wire",
    "capture/wire/limits.py": "a record; tests/capture/wire/test_exporters.py",
    "capture/wire/options.py": "tests/capture/wire/test_enrichment.py and test_sampling.py",
    "capture/wire/output.py": "tests/capture/wire/test_decoder.py",
    "capture/wire/walk.py": "tests/capture/wire/test_decoder.py and test_templates.py",
    "kernels/capturefile.py": "tests/capture/test_replay.py",
    "kernels/flowcolumns.py": "tests/kernels/test_flowrecords.py",
    "kernels/flowentry.py": "tests/kernels/test_flowcache.py and tests/flows/test_table.py",
    "kernels/flowlayout.py": "constants; tests/kernels/test_flowrecords.py",
    "kernels/flowpackets.py": "tests/kernels/test_flowextras.py",
    "kernels/flowreverse.py": "tests/kernels/test_flowrecords.py",
    "kernels/flowsweep.py": "tests/kernels/test_flowcache.py and tests/flows/test_table.py",
    "kernels/packetlayout.py": "constants; tests/kernels/test_flowcache.py",
    "kernels/flowtimes.py": "tests/kernels/test_flowrecords.py",
    "kernels/sflowsample.py": "tests/kernels/test_sflow.py",
    "flows/linkbatches.py": "tests/flows/test_linkwindows.py and test_linkrows.py",
    "flows/linktables.py": "tests/flows/test_linkwindows.py and tests/kernels/test_links.py",
    "model/archive.py": "records; tests/store/test_archivesearch.py and test_ranking.py",
    "model/datagrams.py": "a record; its refusals are in tests/capture",
    "itsm/clockchanges.py": "tests/itsm/test_workchanges.py",
    "itsm/effects.py": "tests/itsm/test_engine.py",
    "itsm/kinship.py": "tests/itsm/test_component.py and test_engine.py",
    "itsm/lifecycletable.py": "the table; tests/itsm/test_lifecycle.py and test_workchanges.py",
    "itsm/moment.py": "records; tests/itsm/test_lifecycle.py",
    "itsm/needs.py": "tests/itsm/test_lifecycle.py and test_workchanges.py",
    "itsm/orders.py": "tests/itsm/test_workchanges.py",
    "itsm/reports.py": "tests/itsm/test_component.py and test_engine.py",
    "itsm/timers.py": "tests/itsm/test_workchanges.py and story.py",
    "itsm/transition.py": "records; tests/itsm/test_lifecycle.py",
    "itsm/wishes.py": "tests/itsm/test_component.py and test_engine.py",
    "model/incident.py": "records and enums; tests/itsm",
    "model/knowledge.py": "records; tests/itsm/test_knowledge.py and test_surveys.py",
    "model/workfigures.py": "records; tests/itsm/test_quality.py",
    "model/knowledgework.py": "records and a protocol; tests/itsm/test_knowledgecommands.py",
    "model/qualityview.py": "records and a protocol; tests/itsm/test_qualitygroups.py",
    "model/notification.py": "records, enums and a protocol; tests/itsm/notify",
    "model/noticeview.py": "a protocol; tests/api/test_notices.py",
    "model/posted.py": "records; tests/api/test_posts_http.py",
    "api/calls_notices.py": "tests/cli/test_ctl_notices.py",
    "api/convert_notices.py": "codecs; tests/api/test_notices.py",
    "itsm/targetsettings.py": "tests/itsm/test_targets.py",
    "model/delivery.py": "records; tests/store/test_outboxtables.py",
    "itsm/emit/redmine.py": "tests/itsm/test_realtickets.py",
    "itsm/emit/requesttracker.py": "tests/itsm/test_realtickets.py",
    "itsm/emit/alertmanager.py": "tests/itsm/test_realtargets.py",
    "itsm/emit/mail.py": "tests/itsm/test_realtargets.py",
    "itsm/emit/snmp.py": "tests/itsm/test_realtargets.py",
    "itsm/emit/syslog.py": "tests/itsm/test_realtargets.py",
    "itsm/emit/polling.py": "tests/itsm/test_inbox.py",
    "model/sign.py": "records; tests/rca",
    "itsm/intake/asreports.py": "tests/daemon/test_intake.py",
    "itsm/dispatchfollow.py": "tests/daemon/test_dutydesk.py",
    "itsm/rotaseries.py": "tests/itsm/test_rotaical.py",
    "model/duty.py": "records; tests/settings/test_people.py and tests/itsm/test_rota.py",
    "model/heard.py": "records; tests/daemon/test_signs.py",
    "probes/syslogtable.py": "a table; tests/probes/test_syslogrules.py",
    "probes/eventsettings.py": "tests/probes/test_syslogs.py and test_traps.py",
    "api/events_http.py": "tests/api/test_events.py",
    "api/calls_delivery.py": "tests/cli/test_ctl_delivery.py",
    "api/convert_delivery.py": "codecs; tests/api/test_delivery.py",
    "api/calls_reports.py": "tests/cli/test_ctl_reports.py",
    "api/convert_reports.py": "codecs; tests/api/test_reports.py",
    "itsm/emit/outgoing.py": "tests/itsm/test_watch.py and test_deliverydesk.py",
    "api/calls_events.py": "tests/cli/test_ctl_events.py",
    "api/convert_events.py": "codecs; tests/api/test_events.py",
    "daemon/listeners.py": "tests/daemon/test_wiring.py and tests/stories/test_signs.py",
    "daemon/findingsigns.py": "tests/daemon/test_signs.py",
    "rca/asking.py": "tests/rca/test_verdicts.py and test_engine.py",
    "rca/capsule.py": "records; tests/rca/test_replay.py",
    "rca/findings.py": "tests/rca/test_verdicts.py and test_engine.py",
    "rca/known.py": "tests/rca/test_engine.py",
    "rca/standing.py": "tests/rca/test_engine.py",
    "rca/turn.py": "records; tests/rca/test_engine.py",
    "probes/kinds_basic.py": "tests/probes/test_catalogue.py",
    "probes/kinds_middleware.py": "tests/probes/test_kinds_databases.py",
    "model/indicator.py": "records; tests/probes",
    "model/packets.py": "records; tests/flows/test_table.py",
    "model/quality.py": "records; tests/flows/test_quality.py",
    "model/persons.py": "records; tests/flows/test_personservice.py",
    "model/points.py": "records; tests/store",
    "model/ports.py": "protocols",
    "model/probe.py": "records; tests/probes",
    "model/agreement.py": "records; tests/sla",
    "model/sla.py": "records; tests/sla",
    "sla/months.py": "records; tests/sla/test_accounting.py",
    "sla/points.py": "tests/sla/test_component.py",
    "model/symptom.py": "a record; tests/probes",
    "model/conversations.py": "records; tests/store",
    "model/discovery.py": "records; tests/flows/test_suggest.py",
    "api/calls_discovery.py": "tests/api/test_discovery.py",
    "api/convert_discovery.py": "codecs; tests/api/test_discovery.py",
    "cli/discovery_tables.py": "tests/cli/test_ctl_discovery.py",
    "model/taps.py": "a protocol; tests/flows/test_component.py",
    "model/topology.py": "records; tests/flows and tests/probes",
    "model/units.py": "aliases",
    "model/report.py": "records; tests/itsm/intake and tests/store/test_reports.py",
    "itsm/intake/templatetable.py": "a table; tests/itsm/intake/test_templates.py and test_patterns.py",
    "model/outage.py": "records; tests/rca/test_outage.py and test_restoring.py",
    "model/growth.py": "records; tests/rca/test_growth.py",
    "api/calls_impact.py": "tests/api/test_impact.py",
    "api/calls_knowledge.py": "tests/api/test_knowledge.py, test_problems.py and test_surveys.py",
    "api/calls_figures.py": "tests/api/test_quality.py",
    "api/convert_knowledge.py": "tests/api/test_knowledge.py, test_problems.py and test_surveys.py",
    "api/convert_quality.py": "tests/api/test_quality.py",
    "api/knowledgerules.py": "tests/api/test_knowledge.py and test_problems.py",
    "cli/figures_rows.py": "tests/cli/test_ctl_figures.py",
    "cli/figures_tables.py": "tests/cli/test_ctl_figures.py",
    "cli/figures_words.py": "tests/cli/test_ctl_figures.py",
    "api/convert_impact.py": "codecs; tests/api/test_impact.py",
    "model/diagnosis.py": "records; tests/rca/test_story.py",
    "api/calls_diagnosis.py": "tests/api/test_diagnosis.py",
    "api/convert_diagnosis.py": "codecs; tests/api/test_diagnosis.py",
    "model/view.py": "records; tests/daemon/test_viewstates.py and test_serviceviews.py",
    "api/calls_views.py": "tests/api/test_views.py",
    "api/convert_views.py": "tests/api/test_views.py",
    "model/users.py": "records; tests/flows/test_users.py",
    "model/planuse.py": "records; tests/flows/test_planuse.py",
    "cli/plan_files.py": "tests/cli/test_plan.py",
    "api/calls_budget.py": "tests/api/test_budget.py",
    "api/convert_budget.py": "codecs; tests/api/test_budget.py",
    "model/budget.py": "records; tests/probes/test_budget.py",
    "cli/rca_words.py": "tests/cli/test_rca.py and test_rca_selftest.py",
    "api/calls_baselines.py": "tests/api/test_baselines.py",
    "api/convert_baselines.py": "codecs; tests/api/test_baselines.py",
    "cli/ctl_areas.py": "a protocol; tests/cli/test_btimctl.py",
    "cli/ctl_output.py": "tests/cli/test_btimctl.py",
    "model/verdict.py": "a record; tests/rca",
    "model/window.py": "a record; tests/flows",
    "model/ipplan.py": "a record; tests/flows",
    "rca/events.py": "records; tests/rca/test_engine.py",
    "rca/solver_choice.py": "tests/rca/test_solver.py",
    "rca/solver_sets.py": "tests/rca/test_solver.py",
    "rca/solver_types.py": "records; tests/rca/test_solver.py",
    "runtime/clock.py": "reads the clock",
    "runtime/lifecycle.py": "a protocol",
    "api/convert_incidents.py": "tests/api/test_calls_incidents.py and test_incidentcommands.py",
    "api/calls_duty.py": "tests/api/test_duty.py",
    "api/convert_duty.py": "codecs; tests/api/test_duty.py",
    "model/dutyview.py": "plain data and a protocol",
    "api/desksearch.py": "tests/store/test_incidentsearch.py holds it against the journal",
    "api/incidentrequests.py": "tests/api/test_incidents.py sends every command",
    "store/archivemetrics.py": "tests/store/test_archive.py",
    "settings/references.py": "tests/settings/test_services.py",
    "settings/report.py": "tests/settings/test_load.py and test_services.py",
    "settings/tables.py": "tests/settings/test_services.py",
}

HOMES = {
    "numba": {"kernels/_jit.py"},
    "llvmlite": {"kernels/_jit.py"},
    "grpc": {"api"},
    "influxdb_client": {"store/influx.py"},
    "duckdb": {"store"},
    "sqlite3": {
        "store/journal.py",
        "store/journaltables.py",
        "store/schema.py",
        "store/reports.py",
        "store/suppressions.py",
        "store/incidentsearch.py",
        "store/knowledge.py",
        "store/knowledgetables.py",
        "store/timelines.py",
        "store/outboxtables.py",
        "store/deliverylog.py",
        "store/notifications.py",
        "store/handover.py",
    },
    "aiosmtpd": {"itsm/intake/smtp.py"},
    "imap_tools": {"itsm/intake/imap.py"},
    "netaddr": {"flows/plan.py", "flows/planimport.py", "settings/fields.py"},
    "prometheus_client": {"runtime/metrics.py"},
    "pyshark": {"capture/forensics.py"},
    "pysnmp": {"probes/snmp.py", "probes/traps.py", "itsm/emit/snmp.py"},
    "holidays": {"flows/holidaydays.py", "settings/calendars.py"},
    "icalendar": {"itsm/rotaical.py"},
    "recurring_ical_events": {"itsm/rotaical.py"},
    "cryptography": {"probes/wire/certificates.py"},
    "scapy": set(),
    "rich": {"cli"},
}


def modules() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        if relative.name != "__init__.py" and "pb" not in relative.parts:
            yield relative


@pytest.mark.parametrize("module", list(modules()), ids=str)
def test_every_module_has_its_test_file(module: Path) -> None:
    if str(module) in WITHOUT_TEST_FILE or module.name == "settings.py":
        return
    flat = ROOT / "tests" / module.parts[0] / f"test_{module.stem.lstrip('_')}.py"
    nested = ROOT / "tests" / module.parent / f"test_{module.stem.lstrip('_')}.py"

    assert flat.exists() or nested.exists(), f"write {nested.relative_to(ROOT)}"


def test_every_exception_from_the_mirror_is_still_needed() -> None:
    assert {name for name in WITHOUT_TEST_FILE if not (PACKAGE / name).exists()} == set()


@pytest.mark.parametrize("module", list(modules()), ids=str)
def test_every_library_is_imported_at_home_only(module: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    strangers = {
        library
        for library in imported & HOMES.keys()
        if not any(str(module) == home or module.is_relative_to(home) for home in HOMES[library])
    }

    assert strangers == set()

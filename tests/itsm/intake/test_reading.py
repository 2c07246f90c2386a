"""Reports: about a node of the model under any of its names, one fingerprint for one cause, cleared by what clears it."""

from dataclasses import replace

import pytest

from btimd.api.webhookevents import read_events
from btimd.itsm.intake.mail import read_mail
from btimd.itsm.intake.reading import cleared_by, fingerprint
from btimd.model.heard import Told
from btimd.model.incident import Impact, Urgency
from btimd.model.probe import Health
from btimd.model.report import Report, ReportChannel, ReportSeverity, ReportSignal
from btimd.model.sign import SignSource
from tests.itsm.intake import mails
from tests.itsm.intake.mails import NOW, READER


def read(mail: tuple[str, str], message_id: str = "<1@example.net>") -> Report:
    return READER.mail(read_mail(mails.octets(mail, message_id=message_id)), NOW)


@pytest.mark.parametrize(
    ("problem", "clear"),
    [
        (mails.ZABBIX_PROBLEM, mails.ZABBIX_CLEAR),
        (mails.NAGIOS_SERVICE, mails.NAGIOS_RECOVERY),
        (mails.OPENNMS_SERVICE, mails.OPENNMS_CLEAR),
    ],
)
def test_a_clear_has_the_fingerprint_of_its_problem_and_clears_it(
    problem: tuple[str, str], clear: tuple[str, str]
) -> None:
    bad, other, good = read(problem), read(mails.UNKNOWN), read(clear, "<2@example.net>")
    assert good.fingerprint == bad.fingerprint != other.fingerprint
    assert good.id != bad.id
    assert cleared_by(good, [other, bad]) == [bad]


def test_the_senders_own_number_decides_where_two_problems_look_alike() -> None:
    first, clear = read(mails.ZABBIX_PROBLEM), read(mails.ZABBIX_CLEAR)
    second = replace(first, id="R-2", origin_id="4712")
    assert cleared_by(clear, [second, first]) == [first]
    assert cleared_by(replace(clear, origin_id="9"), [second, first]) == [second, first]


def test_the_same_mail_is_the_same_report_and_figures_in_it_do_not_make_another_cause() -> None:
    one = read(mails.ZABBIX_PROBLEM)
    assert read(mails.ZABBIX_PROBLEM) == one
    more = read((mails.ZABBIX_PROBLEM[0].replace("91", "97"), mails.ZABBIX_PROBLEM[1].replace("91", "97")), "<2@x>")
    assert (more.id != one.id, more.fingerprint == one.fingerprint) == (True, True)
    assert one.fingerprint == "report|zabbix|node web01|disk space is low (used #%)"


def test_a_node_is_found_by_name_address_name_with_domain_and_with_port() -> None:
    for name in ("web01", "WEB01", "web01.example.net", "web01:9100", "10.0.0.5", "10.0.0.5:80", "[web01]"):
        assert read(("x", f"Host: {name}\nState: down\n")).node == "web01"
    assert read(("x", "Host: 10.0.0.6\n")).node == ""
    assert fingerprint("s", "web01", "WEB01.example.net", "x") == fingerprint("s", "web01", "10.0.0.5", "X")


def test_an_unknown_mail_is_kept_as_unclassified_with_its_sender_as_reporter() -> None:
    found = read(mails.UNKNOWN)
    assert (found.class_, found.reporter, found.source, found.title) == (
        "unclassified", "mon@example.net", "mon@example.net", "Printer on floor 3 smells",
    )  # fmt: skip
    answer = read((f"Re: {mails.UNKNOWN[0]}", "me too"), "<2@x>")
    assert answer.fingerprint == found.fingerprint


def test_an_empty_mail_is_a_report_too() -> None:
    found = READER.mail(read_mail(b""), NOW)
    assert (found.title, found.class_) == ("mail without a subject", "unclassified")


def test_a_person_needs_to_say_only_a_title() -> None:
    found = READER.manual(key="command-1", reporter="ann", title="ERP is slow", now=NOW)
    assert found == Report(
        id=found.id, channel=ReportChannel.MANUAL, source="ann", reporter="ann", received_at=NOW, key="command-1",
        signal=ReportSignal.PROBLEM, title="ERP is slow", text="ERP is slow", fingerprint="report|||erp is slow",
        check="erp is slow",
    )  # fmt: skip
    more = READER.manual(key="command-2", reporter="bob", title="erp is slow", now=NOW)
    assert (more.fingerprint, more.id == found.id) == (found.fingerprint, False)
    full = READER.manual(key="3", reporter="ann", title="x", now=NOW, node="ora", severity=ReportSeverity.HIGH)
    assert (full.node, full.class_, full.urgency, full.impact) == ("ora", "database", Urgency.HIGH, None)


def test_a_request_for_service_is_a_class_of_its_own() -> None:
    found = READER.manual(key="1", reporter="ann", title="Password reset for bob", now=NOW)
    assert (found.class_, found.urgency, found.impact) == ("request", Urgency.LOW, Impact.LOW)


@pytest.mark.parametrize(
    ("health", "signal"), [(Health.BAD, "problem"), (Health.UNKNOWN, "clear"), (Health.GOOD, "clear"), (None, "info")]
)
def test_a_message_of_a_device_is_a_report(health: Health | None, signal: str) -> None:
    told = Told(SignSource.SYSLOG, "10.0.0.5", ("web01",), "link-down", "Gi0/1 down", NOW, health, subject="Gi0/1")
    found = READER.told(told)
    assert (found.channel, found.signal, found.node, found.check) == ("syslog", signal, "web01", "Gi0/1")
    assert READER.told(told) == found
    assert READER.told(replace(told, at=NOW + 1)).fingerprint == found.fingerprint


def test_alerts_of_a_webhook_are_reports_and_a_repeated_one_is_the_same() -> None:
    body = (
        b'{"version":"4","alerts":[{"status":"%s","fingerprint":"ab12","startsAt":"2026-11-22T10:00:00Z",'
        b'"labels":{"alertname":"Down","instance":"web01:9100"},"annotations":{}}]}'
    )
    found = []
    for status in (b"firing", b"firing", b"resolved"):
        ((identity, told),) = read_events(body % status, "application/json", {}, "prom", NOW)
        found.append(READER.told(told, identity))
    assert [one.signal for one in found] == ["problem", "problem", "clear"]
    assert found[0].id == found[1].id != found[2].id
    assert len({one.fingerprint for one in found}) == 1
    assert found[0].node == "web01"


def test_a_lone_half_of_a_character_does_not_reach_the_disk() -> None:
    told = Told(
        SignSource.WEBHOOK, "a\ud800", ("h\udfff",), "r", "t\ud800", NOW, Health.BAD, node="\ud800", subject="\ud800"
    )
    f"{READER.told(told, 'id')}".encode()

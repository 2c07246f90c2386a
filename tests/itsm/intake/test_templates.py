"""Mails of foreign systems are read for what they are about; each system by its own template."""

import pytest

from btimd.itsm.intake.mail import read_mail
from btimd.itsm.intake.templates import explain
from btimd.itsm.intake.templatetable import SHIPPED
from tests.itsm.intake import mails
from tests.itsm.intake.mails import NOW, READER


@pytest.mark.parametrize(
    ("mail", "template", "signal", "severity", "host", "check"),
    [
        (mails.ZABBIX_PROBLEM, "zabbix", "problem", "high", "web01", "Disk space is low (used 91%)"),
        (mails.ZABBIX_CLEAR, "zabbix", "clear", "high", "web01", "Disk space is low (used 91%)"),
        (mails.ZABBIX_UPDATE, "zabbix", "info", "unknown", "", "Disk space is low (used 91%)"),
        (mails.NAGIOS_SERVICE, "nagios", "problem", "critical", "web01", "HTTP"),
        (mails.NAGIOS_RECOVERY, "nagios", "clear", "info", "web01", "HTTP"),
        (mails.NAGIOS_HOST, "nagios", "problem", "critical", "web01", ""),
        (mails.ICINGA_SERVICE, "icinga", "problem", "medium", "web01", "disk"),
        (mails.OPENNMS_SERVICE, "opennms", "problem", "critical", "web01", "HTTP"),
        (mails.OPENNMS_CLEAR, "opennms", "clear", "unknown", "web01", "HTTP"),
        (mails.OPENNMS_NODE, "opennms", "problem", "critical", "web01", ""),
        (mails.ALERTMANAGER, "alertmanager", "problem", "critical", "web01:9100", "InstanceDown"),
        (mails.GRAFANA, "alertmanager", "clear", "unknown", "web01", "HighCPU"),
        (mails.KEY_VALUE, "key-value", "problem", "critical", "web01", "支付接口"),
        (mails.UNKNOWN, "", "problem", "unknown", "", "printer on floor # smells"),
    ],
)
def test_a_mail_is_read_by_the_template_of_its_system(
    mail: tuple[str, str], template: str, signal: str, severity: str, host: str, check: str
) -> None:
    report = READER.mail(read_mail(mails.octets(mail)), NOW)
    found = (report.template, report.signal, report.severity, report.host, report.check)
    assert found == (template, signal, severity, host, check)
    assert report.node == ("web01" if host else "")


def test_every_template_is_said_to_have_been_tried_and_why_it_did_not_fit() -> None:
    reading, tried = explain(SHIPPED, read_mail(mails.octets(mails.NAGIOS_HOST)))
    assert reading is not None
    assert [(one.template, one.why_not) for one in tried] == [
        ("zabbix", r"the subject has no '^(?:(?:updated )?problem|resolved|ok)\\b'"),
        ("nagios", ""),
    ]
    assert dict(tried[-1].fields) == {"state": "PROBLEM", "host": "web01", "address": "10.0.0.5", "severity": "DOWN"}


def test_an_unknown_mail_is_taken_by_no_template_and_explain_says_so_for_each() -> None:
    reading, tried = explain(SHIPPED, read_mail(mails.octets(mails.UNKNOWN)))
    assert reading is None
    assert [one.template for one in tried if one.why_not] == [one.name for one in SHIPPED]


def test_a_mail_of_one_system_is_never_taken_by_the_template_of_another() -> None:
    for name, value in vars(mails).items():
        if name.isupper() and isinstance(value, tuple) and name not in {"UNKNOWN", "TEMPLATES", "CLASSES"}:
            reading, _ = explain(SHIPPED, read_mail(mails.octets(value)))
            expected = {"GRAFANA": "alertmanager", "KEY_VALUE": "key-value"}.get(name, name.split("_")[0].lower())
            assert reading is not None
            assert reading.template == expected

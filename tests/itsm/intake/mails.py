"""Mails as foreign systems send them, and what reads them."""

from email.message import EmailMessage

from btimd.itsm.intake.classify import SHIPPED as CLASSES
from btimd.itsm.intake.classify import NodeMatch
from btimd.itsm.intake.reading import Reader
from btimd.itsm.intake.templatetable import SHIPPED as TEMPLATES
from btimd.model.service import NodeKind

NOW = 1_800_000_000.0
NODES = {
    "web01": NodeMatch("web01", NodeKind.HOST, "shop"),
    "10.0.0.5": NodeMatch("web01", NodeKind.HOST, "shop"),
    "ora": NodeMatch("ora", NodeKind.DATABASE),
}
READER = Reader(TEMPLATES, CLASSES, NODES.get)

ZABBIX_PROBLEM = (
    "Problem: Disk space is low (used 91%)",
    (
        "Problem started at 10:02:11 on 2026.11.22\nProblem name: Disk space is low (used 91%)\nHost: web01\n"
        "Severity: High\nOperational data: Space used: 91 %\nOriginal problem ID: 4711\n"
    ),
)
ZABBIX_CLEAR = (
    "Resolved in 5m 3s: Disk space is low (used 91%)",
    (
        "Problem has been resolved at 10:07:14 on 2026.11.22\nProblem name: Disk space is low (used 91%)\n"
        "Problem duration: 5m 3s\nHost: web01\nSeverity: High\nOriginal problem ID: 4711\n"
    ),
)
ZABBIX_UPDATE = (
    "Updated problem in 2m: Disk space is low (used 91%)",
    "Ann Lee acknowledged problem at 2026.11.22 10:04:00.\n\nCurrent problem status is PROBLEM, age is 2m, acknowledged: Yes.\n",
)
NAGIOS_SERVICE = (
    "** PROBLEM Service Alert: web01/HTTP is CRITICAL **",
    (
        "***** Nagios *****\n\nNotification Type: PROBLEM\n\nService: HTTP\nHost: web01\nAddress: 10.0.0.5\nState: CRITICAL\n\n"
        "Date/Time: Sun Nov 22 10:02:11 UTC 2026\n\nAdditional Info:\n\nconnect to address 10.0.0.5 and port 80: refused\n"
    ),
)
NAGIOS_RECOVERY = (
    "** RECOVERY Service Alert: web01/HTTP is OK **",
    (
        "***** Nagios *****\n\nNotification Type: RECOVERY\n\nService: HTTP\nHost: web01\nAddress: 10.0.0.5\nState: OK\n\n"
        "Date/Time: Sun Nov 22 10:07:11 UTC 2026\n"
    ),
)
NAGIOS_HOST = (
    "** PROBLEM Host Alert: web01 is DOWN **",
    "***** Nagios *****\n\nNotification Type: PROBLEM\nHost: web01\nState: DOWN\nAddress: 10.0.0.5\nInfo: PING CRITICAL\n",
)
ICINGA_SERVICE = (
    "[PROBLEM] disk on web01 is WARNING!",
    (
        "***** Service Monitoring on icinga *****\n\ndisk on web01 is WARNING!\n\nInfo:    DISK WARNING - free space: / 800 MB\n\n"
        'When:    2026-11-22 10:02:11 +0000\nService: disk (Display Name: "disk")\nHost:    web01 (Display Name: "web01")\n'
        "IPv4:    10.0.0.5\n"
    ),
)
OPENNMS_SERVICE = (
    "Notice #42: HTTP down on 10.0.0.5 (10.0.0.5) on node web01.",
    "The HTTP service poll on interface 10.0.0.5 (10.0.0.5) on node web01 failed at Sunday, 22 November 2026.\n",
)
OPENNMS_CLEAR = ("RESOLVED: Notice #42: HTTP down on 10.0.0.5 (10.0.0.5) on node web01.", OPENNMS_SERVICE[1])
OPENNMS_NODE = (
    "Notice #43: node web01 down.",
    (
        "All services are down on node web01.  New Outage records have been created and service level availability\n"
        "calculations will be impacted until this outage is resolved.\n"
    ),
)
ALERTMANAGER = (
    "[FIRING:1] InstanceDown (web01:9100 node critical)",
    (
        "1 alert for alertname=InstanceDown\n\nLabels:\n - alertname = InstanceDown\n - instance = web01:9100\n"
        " - severity = critical\nAnnotations:\n - summary = web01 does not answer\nSource: http://prometheus/graph\n"
    ),
)
GRAFANA = (
    "[RESOLVED] HighCPU (web01)",
    "**Resolved**\n\nValue: A=1\nLabels:\n - alertname = HighCPU\n - instance = web01\nAnnotations:\n",
)
KEY_VALUE = (
    "告警",
    "主机\uff1aweb01\n级别\uff1a严重\n状态\uff1a故障\n监控项\uff1a支付接口\n时间\uff1a2026-11-22 10:02\n内容\uff1a支付超时\n",
)
UNKNOWN = ("Printer on floor 3 smells", "Hello,\n\nthe printer smells of smoke.\n\nAnn\n")


def octets(
    mail: tuple[str, str], *, message_id: str = "<1@example.net>", sender: str = "Monitor <mon@example.net>"
) -> bytes:
    """Return a mail as it is sent."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "reports@btimd.example"
    message["Subject"] = mail[0]
    if message_id:
        message["Message-ID"] = message_id
    message["Date"] = "Sun, 22 Nov 2026 10:02:11 +0000"
    message.set_content(mail[1])
    return message.as_bytes()

"""The templates that come with btimd: Zabbix, Nagios and Icinga, OpenNMS, Alertmanager and Grafana, "key: value".

They follow the mails that those systems send as they are installed. The order matters: the most particular first.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.itsm.intake.patterns import checked
from btimd.itsm.intake.templates import Template
from btimd.model.report import ReportSeverity, ReportSignal

_DEGREE: Final = 12
"""These are known to take little time with any line: tests try what is worst for them."""


def _known(pattern: str) -> re.Pattern[str]:
    return checked(pattern, _DEGREE)


def _all(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(_known(pattern) for pattern in patterns)


_ZABBIX_SEVERITIES: Final[Mapping[str, ReportSeverity]] = MappingProxyType(
    {
        "not classified": ReportSeverity.UNKNOWN,
        "information": ReportSeverity.INFO,
        "warning": ReportSeverity.LOW,
        "average": ReportSeverity.MEDIUM,
        "high": ReportSeverity.HIGH,
        "disaster": ReportSeverity.CRITICAL,
    }
)
_PROBLEM: Final = ReportSignal.PROBLEM
_CLEAR: Final = ReportSignal.CLEAR
_INFO: Final = ReportSignal.INFO

ZABBIX: Final = Template(
    name="zabbix",
    system="zabbix",
    is_trusted=True,
    subject_has=_known(r"^(?:(?:updated )?problem|resolved|ok)\b"),
    text_has=_known(r"^(?:original problem id|problem name|current problem status is|trigger status)\b"),
    subject=_all(
        r"(?P<state>problem|resolved|updated problem|ok)(?: in [^:]{1,60})?: (?P<service>.{1,300})",
    ),
    lines=_all(
        r"problem name: (?P<service>.+)",
        r"trigger: (?P<service>.+)",
        r"host: (?P<host>.+)",
        r"(?:trigger )?severity: (?P<severity>.+)",
        r"original (?:problem|event) id: (?P<id>\S+)",
        r"(?P<state>problem) started at .+",
        r"problem has been (?P<state>resolved) .+",
        r"trigger status: (?P<state>\w+)",
        r"problem (?:started|has been resolved) (?:at|in) (?P<time>.+)",
    ),
    severities=_ZABBIX_SEVERITIES,
    states={"updated problem": _INFO},
    needs=("service",),
)

NAGIOS: Final = Template(
    name="nagios",
    system="nagios",
    is_trusted=True,
    text_has=_known(r"^notification type: "),
    subject=_all(
        r"\** ?(?P<state>\w+) service alert: (?P<host>[^/]{1,200})/(?P<service>.{1,200}) is (?P<severity>\w+)[ *]*",
        r"\** ?(?P<state>\w+) host alert: (?P<host>.{1,200}) is (?P<severity>\w+)[ *]*",
        r"(?P<state>\w+) - (?P<host>.{1,200}) - (?P<service>.{1,200}) is (?P<severity>\w+)",
        r"(?P<state>\w+) - (?P<host>.{1,200}) is (?P<severity>\w+)",
    ),
    lines=_all(
        r"notification type: (?P<state>\w+)",
        r"service: (?P<service>.+)",
        r"host: (?P<host>.+)",
        r"address: (?P<address>\S+)",
        r"state: (?P<severity>\w+)",
        r"date/time: (?P<time>.+)",
    ),
    severities={"unknown": ReportSeverity.MEDIUM},
    needs=("host",),
)

ICINGA: Final = Template(
    name="icinga",
    system="icinga",
    is_trusted=True,
    subject_has=_known(r"^\[\w+\] .+ is \w+!$"),
    subject=_all(
        r"\[(?P<state>\w+)\] (?P<service>.{1,200}) on (?P<host>.{1,200}) is (?P<severity>\w+)!",
        r"\[(?P<state>\w+)\] host (?P<host>.{1,200}) is (?P<severity>\w+)!",
    ),
    lines=_all(
        r"service: (?P<service>[^()]+)(?: \(display name: .+)?",
        r"host: (?P<host>[^()]+)(?: \(display name: .+)?",
        r"ipv[46]: (?P<address>\S+)",
        r"when: (?P<time>.+)",
        r"info: (?P<title>.+)",
    ),
    severities={"unknown": ReportSeverity.MEDIUM},
    needs=("host",),
)

OPENNMS: Final = Template(
    name="opennms",
    system="opennms",
    is_trusted=True,
    subject_has=_known(r"notice #\d+"),
    subject=_all(
        r"(?P<state>resolved): notice #(?P<id>\d+).*",
        r".*notice #(?P<id>\d+).*",
        r".*notice #\d+: (?P<service>\S+) (?:(?P<state>down|up|restored) )?on (?:interface )?(?P<address>\S+)"
        r".{0,100} on node (?P<host>[^ ]+?)\.?",
        r".*notice #\d+: interface (?P<address>\S+).{0,100} on node (?P<host>\S+) (?P<state>down|up|is up|is down)\.?",
        r".*notice #\d+: node (?P<host>\S+) (?:is )?(?P<state>down|up)\.?",
        r".*notice #\d+: (?P<title>.{1,300})",
    ),
    lines=_all(
        r"the (?P<service>\S+) service poll on interface (?P<address>\S+).{0,200} on node (?P<host>\S+) failed.*",
        r"the (?P<service>\S+) service on interface (?P<address>\S+).{0,200} on node (?P<host>\S+)"
        r" which was previously (?:down|up) is now (?P<state>up|down).*",
        r"all (?:services|interfaces) are (?P<state>down) on (?:interface (?P<address>\S+).{0,200} on )?"
        r"node (?P<host>\S+?)\.?(?: .*)?",
        r".*node (?P<host>\S+) which was previously down is now (?P<state>up).*",
        r"(?:event )?severity: (?P<severity>\w+)",
        r"node(?: ?label)?: (?P<host>.+)",
        r"interface: (?P<address>\S+)",
        r"service: (?P<service>.+)",
        r"time: (?P<time>.+)",
    ),
    severities={"cleared": ReportSeverity.INFO},
    needs=("id",),
)

ALERTMANAGER: Final = Template(
    name="alertmanager",
    system="prometheus",
    is_trusted=True,
    subject_has=_known(r"\[(?:firing|resolved|alerting|ok|no data)(?::\d+)?(?:, resolved:\d+)?\]"),
    subject=_all(
        r".{0,100}\[(?P<state>firing|resolved|alerting|ok|no data)[^\]]{0,40}\] (?P<service>[^\s(]+)"
        r"(?P<title> .{0,400})?",
    ),
    lines=_all(
        r"(?:- )?alertname ?[=:] ?(?P<service>.+)",
        r"(?:- )?(?:instance|host|hostname|node) ?[=:] ?(?P<host>.+)",
        r"(?:- )?severity ?[=:] ?(?P<severity>\w+)",
        r"(?:- )?(?:summary|description|message) ?[=:] ?(?P<title>.+)",
        r"(?:started|starts ?at) ?[=:] ?(?P<time>.+)",
    ),
    needs=("service",),
)

KEY_VALUE: Final = Template(
    name="key-value",
    system="",
    is_trusted=True,
    text_has=_known(r"^(?:host|hostname|node|device|主机|主机名|设备|节点) ?[:=\uff1a]"),
    subject=_all(r"\[?(?P<state>problem|resolved|recovery|down|up|ok|告警|恢复|故障)\]?(?:[ :\uff1a-].{0,400})?"),
    lines=_all(
        r"(?:host|hostname|node|device|主机|主机名|设备|节点) ?[:=\uff1a] ?(?P<host>.+)",
        r"(?:ip|address|ip address|地址|ip地址) ?[:=\uff1a] ?(?P<address>\S+)",
        r"(?:service|check|monitor|metric|item|object|服务|监控项|指标|告警名称) ?[:=\uff1a] ?(?P<service>.+)",
        r"(?:severity|level|priority|级别|等级|告警级别|严重程度) ?[:=\uff1a] ?(?P<severity>.+)",
        r"(?:status|state|状态|告警状态) ?[:=\uff1a] ?(?P<state>.+)",
        r"(?:time|date|when|occurred|时间|告警时间|发生时间) ?[:=\uff1a] ?(?P<time>.+)",
        r"(?:id|event id|alert id|alarm id|编号|告警编号|告警id) ?[:=\uff1a] ?(?P<id>\S+)",
        r"(?:title|summary|message|problem|description|标题|内容|告警内容|描述) ?[:=\uff1a] ?(?P<title>.+)",
    ),
    needs=("host",),
)

SHIPPED: Final = (ZABBIX, NAGIOS, ICINGA, OPENNMS, ALERTMANAGER, KEY_VALUE)

"""The classification table: from channel, source, words, node and severity to class, urgency, impact and path."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from btimd.model.incident import Impact, Urgency
from btimd.model.report import UNCLASSIFIED, Report, ReportChannel, ReportSeverity
from btimd.model.service import NodeKind

_SEARCHED: Final = 4000
_URGENCIES: Final[Mapping[ReportSeverity, Urgency]] = MappingProxyType(
    {
        ReportSeverity.CRITICAL: Urgency.HIGH,
        ReportSeverity.HIGH: Urgency.HIGH,
        ReportSeverity.MEDIUM: Urgency.MEDIUM,
        ReportSeverity.LOW: Urgency.LOW,
        ReportSeverity.INFO: Urgency.LOW,
    }
)


@dataclass(frozen=True, slots=True)
class ClassRule:
    """One row. Every column that is not empty must fit; any of its values will do.

    sources, hosts: with * and ?, any case. words: found anywhere in title, check or text, any case. urgency: None = as
    the severity says. impact: None = as the engine finds it. path: "" = the usual one.
    templates: what read it, a template of mails or a rule of syslog or traps; any case. opens: whether it may open an
    incident, None = as its channel says.
    """

    class_: str
    channels: Collection[ReportChannel] = ()
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    kinds: Collection[NodeKind] = ()
    severities: Collection[ReportSeverity] = ()
    urgency: Urgency | None = None
    impact: Impact | None = None
    path: str = ""
    templates: tuple[str, ...] = ()
    opens: bool | None = None

    def fits(self, report: Report, kind: NodeKind | None) -> bool:
        """Tell whether the row is about that report."""
        return (
            (not self.channels or report.channel in self.channels)
            and (not self.severities or report.severity in self.severities)
            and (not self.kinds or kind in self.kinds)
            and (not self.sources or _any_like(self.sources, report.source))
            and (not self.hosts or _any_like(self.hosts, report.host))
            and (not self.words or _has_any(self.words, report))
            and (not self.templates or _any_like(self.templates, report.template))
        )


def _has_any(words: Sequence[str], report: Report) -> bool:
    text = f"{report.title}\n{report.check}\n{report.text[:_SEARCHED]}".casefold()
    return any(word.casefold() in text for word in words)


def _any_like(patterns: Sequence[str], value: str) -> bool:
    return any(fnmatchcase(value.lower(), pattern.lower()) for pattern in patterns)


SHIPPED: Final = (
    ClassRule("request", channels={ReportChannel.EMAIL, ReportChannel.MANUAL},
              words=("password reset", "reset my password", "重置密码", "密码重置", "申请权限", "access request"),
              urgency=Urgency.LOW, impact=Impact.LOW),
    ClassRule("network", kinds={NodeKind.NETWORK}),
    ClassRule("database", kinds={NodeKind.DATABASE}),
    ClassRule("middleware", kinds={NodeKind.MIDDLEWARE}),
    ClassRule("application", kinds={NodeKind.APPLICATION, NodeKind.BUSINESS}),
    ClassRule("shared", kinds={NodeKind.SHARED}),
    ClassRule("server", kinds={NodeKind.OS, NodeKind.HOST}),
    ClassRule("facility", kinds={NodeKind.FACILITY}),
    ClassRule("security", words=("certificate", "intrusion", "virus", "malware", "证书", "入侵", "病毒")),
    ClassRule("database", words=("oracle", "mysql", "postgres", "tablespace", "sql server", "数据库", "表空间")),
    ClassRule("network", words=("interface", "link down", "bgp", "ospf", "packet loss", "switch", "router",
                                "unreachable", "端口", "链路", "交换机", "路由器", "网络", "丢包")),
    ClassRule("facility", words=("temperature", "power supply", "ups ", "fan ", "温度", "电源", "空调")),
    ClassRule("server", words=("cpu", "memory", "disk", "filesystem", "load average", "swap", "内存", "磁盘",
                               "文件系统")),
    ClassRule("application", words=("http", "login", "timeout", "tomcat", "weblogic", "应用", "登录",
                                    "打不开", "系统")),
)  # fmt: skip
"""The rows that come with btimd, tried after your own."""


def class_of_kind(kind: NodeKind) -> str:
    """Return the class of what is wrong with nodes of a kind, "" where the kind says nothing."""
    return next((rule.class_ for rule in SHIPPED if kind in rule.kinds), "")


def classify(report: Report, rules: Sequence[ClassRule], kind: NodeKind | None = None) -> Report:
    """Return the report with the class, urgency, impact and path of the first row that fits.

    What is set already (somebody chose it) stays. Without a row the class is "unclassified".
    """
    by_severity = _URGENCIES.get(report.severity)
    for rule in rules:
        if rule.fits(report, kind):
            return replace(
                report,
                class_=report.class_ if report.class_ != UNCLASSIFIED else rule.class_,
                urgency=report.urgency or rule.urgency or by_severity,
                impact=report.impact or rule.impact,
                path=report.path or rule.path,
                opens=report.opens if rule.opens is None else rule.opens,
            )
    return replace(report, urgency=report.urgency or by_severity)


@dataclass(frozen=True, slots=True)
class NodeMatch:
    """A node of the model. business: the only one that it serves, or ""."""

    node: str
    kind: NodeKind
    business: str = ""


FindNode = Callable[[str], NodeMatch | None]
"""Gives the node with an id, name, host name or address; None where there is none, or more than one."""


def matched(report: Report, names: Sequence[str], find: FindNode) -> tuple[Report, NodeKind | None]:
    """Return the report with the node that the first of these names finds, and the node's kind.

    A name is tried as it is, without a port, without its domain.
    """
    for name in dict.fromkeys(form for given in names for form in _forms(given)):
        found = find(name)
        if found is not None:
            return replace(report, node=found.node, business=report.business or found.business), found.kind
    return report, None


def _forms(given: str) -> tuple[str, ...]:
    name = given.strip().strip("[]\"'")[:255]
    host, colon, port = name.rpartition(":")
    bare = host.strip("[]") if colon and port.isdigit() and (":" not in host or host.endswith("]")) else name
    first = bare.partition(".")[0]
    short = first if first and not first.isdigit() and ":" not in bare else ""
    return tuple(one for one in (name, bare, bare.lower(), short, short.lower()) if one)

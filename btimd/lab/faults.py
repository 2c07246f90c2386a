"""The table of faults: what can be broken, how it is called, and which node of the graph is the true cause.

On loopback the kernel answers for every address of 127.0.0.0/8: a closed port says "refused" and an echo request is
always answered. "Host down" (DEAD) is therefore: everything on the host, its management agent included, refuses at the
same moment, as when a host has crashed and its neighbour answers for it, or its processes were all killed. "Powered
off" (SILENT) is closer to a pulled plug: nothing on the host answers, not even a SYN; only echo requests still do.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from btimd.lab.topology import BUSINESSES, DATABASES, DNS, HOSTS, agent_of


class Condition(StrEnum):
    """How a process is. Ordered from well to worst in SEVERITY."""

    WELL = "well"
    SLOW = "slow"
    """Every answer takes LabSettings.slow_seconds longer."""
    ERROR = "error"
    """Answers at once, with an error."""
    HUNG = "hung"
    """Takes connections and reads nothing, answers nothing; sessions that exist fall silent too."""
    DEAD = "dead"
    """The process is gone: its port refuses, its sessions are cut."""
    SILENT = "silent"
    """The process is gone with its host: not even a SYN is answered, sessions that exist fall silent."""


SEVERITY: Final = tuple(Condition)


class RecordCondition(StrEnum):
    """What may happen to the record of a name."""

    GONE = "gone"
    """The name server answers NXDOMAIN."""
    WRONG = "wrong"
    """The name server answers with the address of a host that does not carry the business."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be broken.

    cause_node: id in services.toml of the node that a diagnosis should name. businesses: those whose users feel it.
    processes: what happens to which process. records: what happens to which business's name.
    """

    name: str
    title: str
    title_zh: str
    cause_node: str
    description: str
    businesses: tuple[str, ...]
    processes: tuple[tuple[str, Condition], ...] = ()
    records: tuple[tuple[str, RecordCondition], ...] = ()


def processes_on(host: str) -> tuple[str, ...]:
    """Return the ids of all processes of a host, its management agent last."""
    plans = {plan.id: plan for plan in (DNS, *DATABASES)}
    for business in BUSINESSES:
        plans |= {plan.id: plan for plan in (business.web, business.application)}
    agents = tuple(agent_of(known).id for known in HOSTS if known.id == host)
    return tuple(plan.id for plan in plans.values() if plan.host == host) + agents


def _all_on(host: str, condition: Condition) -> tuple[tuple[str, Condition], ...]:
    return tuple((process, condition) for process in processes_on(host))


_OFFICE: Final = ("erp", "hr")
_ALL: Final = ("erp", "hr", "bank")

_TABLE: Final = (
    Fault(
        "db-dead", "Database process dead", "数据库进程终止", "db1",
        "The office database process is gone; its host is well. ERP and HR answer 503.",
        _OFFICE, (("db1", Condition.DEAD),),
    ),
    Fault(
        "db-hung", "Database hung", "数据库挂起", "db1",
        "The office database takes connections and never answers. The applications give up and answer 503.",
        _OFFICE, (("db1", Condition.HUNG),),
    ),
    Fault(
        "db-slow", "Database slow", "数据库响应缓慢", "db1",
        "Every query of the office database takes too long; pages arrive, late.",
        _OFFICE, (("db1", Condition.SLOW),),
    ),
    Fault(
        "db-error", "Database out of disk space", "数据库磁盘空间耗尽", "db1",
        "The office database answers each query with an error. The applications answer 500.",
        _OFFICE, (("db1", Condition.ERROR),),
    ),
    Fault(
        "app-error", "Application error", "应用程序错误", "erp-app",
        "The ERP application answers 500; its database is well. HR, on the same hosts, works.",
        ("erp",), (("erp-app", Condition.ERROR),),
    ),
    Fault(
        "app-hung", "Application hung", "应用程序挂起", "erp-app",
        "The ERP application takes requests and never answers. The web server gives up and answers 504.",
        ("erp",), (("erp-app", Condition.HUNG),),
    ),
    Fault(
        "app-slow", "Application slow", "应用程序响应缓慢", "bank-app",
        "The banking application takes too long over each request; its database is fast.",
        ("bank",), (("bank-app", Condition.SLOW),),
    ),
    Fault(
        "app-dead", "Application process dead", "应用进程终止", "bank-app",
        "The banking application process is gone. The web server answers 502.",
        ("bank",), (("bank-app", Condition.DEAD),),
    ),
    Fault(
        "web-dead", "Web server dead", "Web服务器进程终止", "hr-web",
        "The HR web server is gone; the ERP web server on the same host works.",
        ("hr",), (("hr-web", Condition.DEAD),),
    ),
    Fault(
        "web-hung", "Web server hung", "Web服务器挂起", "bank-web",
        "The banking web server takes connections and never answers.",
        ("bank",), (("bank-web", Condition.HUNG),),
    ),
    Fault(
        "dns-record-gone", "Name deleted from DNS", "域名记录丢失", "name-erp",
        "The record of ERP's name is gone: NXDOMAIN. Every server is well.",
        ("erp",), records=(("erp", RecordCondition.GONE),),
    ),
    Fault(
        "dns-record-wrong", "Name points to the wrong host", "域名解析错误", "name-bank",
        "Core banking's name resolves to a host that carries no banking web server.",
        ("bank",), records=(("bank", RecordCondition.WRONG),),
    ),
    Fault(
        "dns-dead", "Name server dead", "域名服务器终止", "dns1",
        "The name server process is gone: nobody finds any business, though all of them work.",
        _ALL, (("dns1", Condition.DEAD),),
    ),
    Fault(
        "dns-hung", "Name server hung", "域名服务器挂起", "dns1",
        "The name server takes questions and never answers.",
        _ALL, (("dns1", Condition.HUNG),),
    ),
    Fault(
        "host-down", "Database host down", "数据库主机宕机", "host-db1",
        "Everything on the office database host is gone at once, its management agent too.",
        _OFFICE, _all_on("host-db1", Condition.DEAD),
    ),
    Fault(
        "app-host-down", "Application host down", "应用主机宕机", "host-app1",
        "Everything on the office application host is gone at once: both applications and the agent.",
        _OFFICE, _all_on("host-app1", Condition.DEAD),
    ),
    Fault(
        "host-power-off", "Web host without power", "Web主机断电", "host-web2",
        "The banking web host answers nothing any more, not even a SYN: connections time out.",
        ("bank",), _all_on("host-web2", Condition.SILENT),
    ),
)  # fmt: skip
FAULTS: Final = {fault.name: fault for fault in _TABLE}


def find_fault(name: str) -> Fault:
    """Return the fault of a name; raises ValueError that lists the known ones."""
    if name not in FAULTS:
        raise ValueError(f"no fault {name!r}; known: {', '.join(FAULTS)}")
    return FAULTS[name]


def worst(conditions: list[Condition]) -> Condition:
    """Return what a process is like when several faults bear on it at once."""
    return max(conditions, key=SEVERITY.index, default=Condition.WELL)

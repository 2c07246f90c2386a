"""An enterprise of two regions with redundancy of each sort, for tests of outages and restoring orders."""

from btimd.model.service import BusinessService, Criticality, Need, Node, NodeKind, Rollup, ServiceGraph
from tests.rca.worlds import node

USERS = {"erp": {"north": 40, "south": 20}, "hr": {"north": 10, "": 2}, "web": {"south": 5}}


def offices() -> ServiceGraph:
    """Return ERP on a pair of databases, HR on three of four servers, a web page with a cache; lines to two regions."""
    nodes = [
        node("erp", "business", "erp-app dns"),
        node("hr", "business", "hr-farm dns"),
        Node("web", NodeKind.BUSINESS, "web", ("page", "cache"), need_facts=(Need("cache", strength=0.3),)),
        node("erp-app", "application", "db"),
        Node("db", NodeKind.DATABASE, "ERP database", ("db1", "db2"), rollup=Rollup.BEST, standby=("db2",)),
        node("db1", "database", "host1"),
        node("db2", "database", "host2"),
        Node(
            "hr-farm", NodeKind.APPLICATION, "HR servers", ("hr1", "hr2", "hr3", "hr4"), rollup=Rollup.QUORUM, quorum=3
        ),
        *(node(f"hr{number}", "application", f"host{number}") for number in range(1, 5)),
        node("page", "application", "host3"),
        node("cache", "middleware", "host4"),
        node("dns", "shared"),
        *(node(f"host{number}", "host", "rack1" if number < 3 else "rack2") for number in range(1, 5)),
        node("rack1", "facility"),
        node("rack2", "facility"),
        Node("users-north", NodeKind.USER, "North", ("lines-north",), region="north"),
        Node("lines-north", NodeKind.NETWORK, "Lines to the north", ("line-n1", "line-n2"), rollup=Rollup.BEST),
        node("line-n1", "network"),
        node("line-n2", "network"),
        Node("users-south", NodeKind.USER, "South", ("line-s",), region="south"),
        node("line-s", "network"),
    ]
    levels = {"erp": Criticality.HIGH, "hr": Criticality.NORMAL, "web": Criticality.LOW}
    businesses = {name: BusinessService(name, name.upper(), criticality=level) for name, level in levels.items()}
    return ServiceGraph({one.id: one for one in nodes}, businesses)

"""A service graph of any size and depth, the same each time: businesses on clusters on hosts on switches on power."""

from btimd.model.service import BusinessService, Check, CheckKind, Closure, Node, NodeKind, Rollup, ServiceGraph


def big_graph(size: int) -> ServiceGraph:
    """Return about `size` nodes: per 100 of them one business, 9 services of 3 applications with pairs of databases."""
    switches = max(size // 50, 2)
    nodes = [_node(f"power{number}", NodeKind.FACILITY) for number in range(4)]
    nodes += [_node(f"core{number}", NodeKind.NETWORK, f"power{number}") for number in range(2)]
    nodes.append(_node("core", NodeKind.NETWORK, "core0", "core1", rollup=Rollup.BEST))
    nodes += [_node(f"access{number}", NodeKind.NETWORK, "core") for number in range(switches)]
    nodes.append(_node("dns", NodeKind.SHARED, "access0"))
    for number in range(20):
        nodes.append(
            Node(
                f"users{number}", NodeKind.USER, f"users{number}", (f"access{number % switches}",), region=f"r{number}"
            )
        )
    units = (size - len(nodes)) // 100
    for unit in range(units):

        def spot(number: int, unit: int = unit) -> str:
            return f"access{(unit * 31 + number) % switches}"

        hosts = [f"h{unit}.{number}" for number in range(36)]
        nodes += [_node(name, NodeKind.HOST, spot(number)) for number, name in enumerate(hosts)]
        systems = [f"o{unit}.{number}" for number in range(27)]
        nodes += [_node(name, NodeKind.OS, hosts[number]) for number, name in enumerate(systems)]
        members = [f"d{unit}.{number}" for number in range(18)]
        nodes += [_node(name, NodeKind.DATABASE, systems[number]) for number, name in enumerate(members)]
        pairs = [f"p{unit}.{number}" for number in range(9)]
        for number, name in enumerate(pairs):
            nodes.append(_node(name, NodeKind.DATABASE, *members[2 * number : 2 * number + 2], rollup=Rollup.BEST))
        services = [f"a{unit}.{number}" for number in range(9)]
        for number, name in enumerate(services):
            other = f"a{(unit - 1)}.{number}" if unit % 10 else "dns"
            nodes.append(_node(name, NodeKind.APPLICATION, pairs[number], systems[18 + number], other))
        nodes.append(_node(f"b{unit}", NodeKind.BUSINESS, *services, "dns"))
    businesses = {one.id: BusinessService(one.id, one.name) for one in nodes if one.kind is NodeKind.BUSINESS}
    return ServiceGraph({one.id: one for one in nodes}, businesses)


def _node(name: str, kind: NodeKind, *needs: str, rollup: Rollup = Rollup.WORST) -> Node:
    closure = Closure.FULL if kind is NodeKind.BUSINESS else Closure.LOCAL
    check = Check(f"{name}-tcp", name, CheckKind.TCP, "192.0.2.1", 80, closure=closure)
    return Node(name, kind, name, needs, (check,), rollup=rollup)

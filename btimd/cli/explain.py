"""btimd explain: where would this flow go, who is this address, what is asked of this node, and why."""

import argparse
from collections.abc import Iterator
from typing import Final

from btimd.cli.common import SubParsers, add_config_option
from btimd.daemon.config import Config, load_config
from btimd.daemon.wiring import build_attribution
from btimd.model.service import Node, ServiceGraph
from btimd.settings.report import Problem, SettingsError, did_you_mean
from btimd.settings.tables import PROTOCOLS

_SOME_CLIENT: Final = "192.0.2.1"
"""Stands for anybody: an address of no network (RFC 5737)."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "explain",
        help="say what the configuration makes of a flow, an address or a node, and why",
        description="Says what the configuration makes of a flow, an address or a node, and why.",
    )
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    flow = what.add_parser("flow", help="which businesses a flow belongs to: explain flow 10.1.1.7 10.20.1.10 443 tcp")
    flow.add_argument("address")
    flow.add_argument("peer")
    flow.add_argument("port", type=int, help="the server's port")
    flow.add_argument("protocol", nargs="?", default="tcp", help="tcp, udp, ... or a number (default: tcp)")
    address = what.add_parser("ip", help="region, segment and person of an address, and rules for it as a server")
    address.add_argument("address")
    address.add_argument("port", type=int, nargs="?", help="a port, to see who owns it")
    node = what.add_parser("node", help="what a node needs, who needs it, and how it is checked")
    node.add_argument("node")
    for one in (flow, address, node):
        add_config_option(one)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the explanation."""
    config = load_config(options.config)
    graph = config.services.graph
    for line in node_lines(graph, options.node) if options.what == "node" else flow_lines(config, options):
        print(line)
    return 0


def flow_lines(config: Config, options: argparse.Namespace) -> Iterator[str]:
    """Yield what attribution says of a flow or an address, line by line."""
    attribution = build_attribution(config)
    try:
        if options.what == "flow":
            protocol = protocol_number(options.protocol)
            found = attribution.explain(options.address, options.peer, options.port, protocol)
        elif options.port is not None:
            found = attribution.explain(_SOME_CLIENT, options.address, options.port, PROTOCOLS["tcp"])
        else:
            found = attribution.explain(options.address, _SOME_CLIENT, 0, 0)
    except ValueError as error:
        raise SettingsError([Problem("explain", 0, "", str(error))]) from error
    owners = ", ".join(config.services.graph.businesses[name].name for name in found.businesses)
    yield f"business   {owners or '(none: unattributed)'}" + (f"   rule {found.rule_id}" if found.rule_id else "")
    yield f"client     {found.client}"
    yield f"server     {found.server}"
    yield f"place      region {found.region or '?'}, segment {found.segment or '?'}, person {found.person or '?'}"
    for reason in found.reasons:
        yield f"  - {reason}"


def protocol_number(text: str) -> int:
    """Return the IANA number of a protocol given by name or number; raises SettingsError."""
    if text.lower() in PROTOCOLS:
        return PROTOCOLS[text.lower()]
    if text.isdecimal() and int(text) <= 255:  # noqa: PLR2004  the field has eight bits
        return int(text)
    known = ", ".join(PROTOCOLS)
    raise SettingsError([Problem("explain", 0, "", f"'{text}' is no protocol; write {known} or a number up to 255")])


def node_lines(graph: ServiceGraph, name: str) -> Iterator[str]:
    """Yield what the graph says of a node."""
    if name not in graph.nodes:
        raise SettingsError([Problem("explain", 0, "", f"no node '{name}'" + did_you_mean(name, graph.nodes))])
    node = graph.nodes[name]
    yield f"node       {name}: {node.name} ({node.kind})"
    yield f"needs      {', '.join(node.needs) or '(nothing)'}"
    yield f"needed by  {', '.join(other.id for other in graph.nodes.values() if name in other.needs) or '(nobody)'}"
    yield from check_lines(node)
    if not node.checks:
        yield "  - has no check: a diagnosis can only infer its condition from what needs it"


def check_lines(node: Node) -> Iterator[str]:
    """Yield how a node is checked."""
    for check in node.checks:
        when = f"every {check.every_seconds:g} s" if check.every_seconds is not None else "when a diagnosis asks"
        tells = "node and all its needs" if check.closure == "full" else "the node and what it runs on"
        target = f"{check.host}:{check.port}" if check.port else check.host
        yield f"check      {check.id}: {check.kind} to {target}, {when}; tells of {tells}; cost {check.cost:g}"

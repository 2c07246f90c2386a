"""What the tables of services.toml say of each other: needs, owners, checks of nodes that exist."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from btimd.model.service import NodeKind, Rollup, ServiceGraph, find_cycle
from btimd.settings.load import TomlFile, read_toml
from btimd.settings.report import Problem, did_you_mean
from btimd.settings.tables import FILE_OPTION, CheckRules, CheckTable, Standing, Tables

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def reference_problems(file: TomlFile, tables: Tables, rules: CheckRules) -> list[Problem]:
    """Return every mistake between tables, in ids and in names of options."""
    known = {*tables.declared["service"], *tables.declared["node"]}
    return [
        *_id_problems(file, tables),
        *_need_problems(file, tables, known),
        *_standing_problems(file, tables),
        *_region_problems(file, tables),
        *_rule_problems(file, tables, known),
        *_group_problems(file, tables),
        *_indicator_problems(file, tables),
        *(
            problem
            for name, check in tables.check.items()
            for problem in _check_problems(file, name, check, known, rules)
        ),
    ]


def _id_problems(file: TomlFile, tables: Tables) -> Iterator[Problem]:
    for kind, names in tables.declared.items():
        for name in names:
            if not _ID.fullmatch(name):
                yield file.problem((kind, name), "an id has letters, digits, '-', '_' and '.', at most 63 of them")
    for name, node in tables.node.items():
        if node.kind is NodeKind.BUSINESS:
            yield file.problem(("node", name, "kind"), f"a business is written as [service.{name}]")
    for name in sorted(set(tables.declared["service"]) & set(tables.declared["node"])):
        yield file.problem(("node", name), "is also the id of a service; give the node another id")


def _need_problems(file: TomlFile, tables: Tables, known: Collection[str]) -> Iterator[Problem]:
    for name in tables.needing:
        kind = tables.kind_of(name)
        for index, need in _written_needs(file, kind, name):
            if need not in known:
                yield file.problem((kind, name, "needs", index), f"no node '{need}'" + did_you_mean(need, known))
    cycle = find_cycle({name: table.need_ids for name, table in tables.needing.items()})
    if cycle:
        text = f"needs run in a circle: {' -> '.join(cycle)}; take one need away"
        yield file.problem((tables.kind_of(cycle[0]), cycle[0], "needs"), text)


def _written_needs(file: TomlFile, kind: str, name: str) -> Iterator[tuple[int, str]]:
    """Yield every need that can be read, with its place, whatever is wrong with the others."""
    written = file.data[kind][name].get("needs")
    for index, need in enumerate(written if isinstance(written, list) else ()):
        named = need.get("node") if isinstance(need, dict) else need
        if isinstance(named, str):
            yield index, named


def _standing_problems(file: TomlFile, tables: Tables) -> Iterator[Problem]:
    """Tell of roll-ups that name strangers, that can never be met, or that say nothing."""
    for name, table in tables.needing.items():
        path = (tables.kind_of(name), name)
        needs = set(table.need_ids)
        if not needs and file.data[path[0]][name].get("needs"):
            continue  # what is wrong with them is told already
        for key, named in (("weights", table.weights), ("ignore", table.ignore), ("standby", table.standby)):
            for one in named:
                if one not in needs:
                    yield file.problem((*path, key), f"'{one}' is none of its needs" + did_you_mean(one, needs))
        for key, text in _rollup_mistakes(table, needs):
            yield file.problem((*path, key), text)


def _rollup_mistakes(table: Standing, needs: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield keys with what is wrong with them, where a roll-up can never be met or something of it says nothing."""
    counted = set(needs) - set(table.ignore)
    if table.rollup is Rollup.QUORUM and table.quorum > len(counted):
        yield "quorum", f"{table.quorum} of {len(counted)} needs can never be good; take a smaller number"
    if table.rollup is not Rollup.QUORUM and table.quorum > 1:
        yield "quorum", 'says nothing without rollup = "quorum"'
    if table.rollup is not Rollup.WEIGHTED and table.weights:
        yield "weights", 'say nothing without rollup = "weighted"'
    if table.rollup is not Rollup.BEST and table.standby:
        yield "standby", 'says nothing without rollup = "best"'
    elif table.standby and counted and counted <= set(table.standby):
        yield "standby", "names all of its needs; one of them must be the active one"
    if table.rollup is not Rollup.WORST and not needs:
        yield "rollup", "says nothing without needs; name those that it follows from"


def _region_problems(file: TomlFile, tables: Tables) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, node in tables.node.items():
        if not node.region:
            continue
        if node.kind is not NodeKind.USER:
            yield file.problem(("node", name, "region"), 'is for nodes of kind "user" only; take it away')
        elif node.region in first:
            text = f"region '{node.region}' has node {first[node.region]} already; put the needs of both into one"
            yield file.problem(("node", name, "region"), text)
        else:
            first[node.region] = name


def unknown_regions(path: Path, graph: ServiceGraph, regions: Collection[str]) -> list[Problem]:
    """Return which nodes of users name a region that the IP plan does not have. path: of services.toml."""
    unknown = [node for node in graph.nodes.values() if node.region and node.region not in regions]
    if not unknown:
        return []
    file = read_toml(path)
    return [
        file.problem(
            ("node", node.id, "region"),
            f"the IP plan has no region '{node.region}'" + did_you_mean(node.region, regions),
        )
        for node in unknown
    ]


def _rule_problems(file: TomlFile, tables: Tables, known: Collection[str]) -> Iterator[Problem]:
    services = tables.declared["service"]
    for name, rule in tables.rule.items():
        for index, service in enumerate(rule.services):
            if service not in services:
                text = f"no service '{service}'" + did_you_mean(service, services)
                yield file.problem(("rule", name, "services", index), text)
        if rule.node is not None and rule.node not in known:
            yield file.problem(("rule", name, "node"), f"no node '{rule.node}'" + did_you_mean(rule.node, known))
        if not file.data["rule"][name].get("prefixes"):
            yield file.problem(("rule", name), "prefixes are missing; a rule without servers matches nothing")
    for name, table in tables.service.items():
        says_more = table.ports or table.clients or table.protocol is not None
        if says_more and "prefixes" not in file.data["service"][name]:
            yield file.problem(("service", name), "ports, protocol and clients say nothing without prefixes")


def _group_problems(file: TomlFile, tables: Tables) -> Iterator[Problem]:
    members = {*tables.declared["service"], *tables.declared["group"]}
    for name, group in tables.group.items():
        if name in tables.declared["service"]:
            yield file.problem(("group", name), "is also the id of a service; give the group another id")
        for index, member in enumerate(group.members):
            if member not in members:
                text = f"no service or group '{member}'" + did_you_mean(member, members)
                yield file.problem(("group", name, "members", index), text)
        for key, named in (("weights", group.weights), ("ignore", group.ignore)):
            for member in named:
                if member not in group.members:
                    text = f"'{member}' is no member of the group" + did_you_mean(member, group.members)
                    yield file.problem(("group", name, key), text)
        counted = [member for member in group.members if member not in group.ignore]
        if group.quorum > len(counted):
            text = f"{group.quorum} of {len(counted)} members can never be good; take a smaller number"
            yield file.problem(("group", name, "quorum"), text)
    cycle = find_cycle({name: group.members for name, group in tables.group.items()})
    if cycle:
        text = f"groups run in a circle: {' -> '.join(cycle)}; take one member away"
        yield file.problem(("group", cycle[0], "members"), text)


def _indicator_problems(file: TomlFile, tables: Tables) -> Iterator[Problem]:
    services = tables.declared["service"]
    for name, indicator in tables.indicator.items():
        if indicator.service not in services:
            text = f"no service '{indicator.service}'" + did_you_mean(indicator.service, services)
            yield file.problem(("indicator", name, "service"), text)
        written = file.data["indicator"][name]
        if not written.get("degraded") and not written.get("bad"):
            yield file.problem(("indicator", name), "says nothing; write when it is degraded, or bad")


def _check_problems(
    file: TomlFile, name: str, check: CheckTable, known: Collection[str], rules: CheckRules
) -> Iterator[Problem]:
    path = ("check", name)
    if check.node not in known:
        yield file.problem((*path, "node"), f"no node '{check.node}'" + did_you_mean(check.node, known))
    if check.port == 0 and rules.needs_port(check.kind) and "port" not in file.data["check"][name]:
        yield file.problem((*path, "port"), f"is missing; a check of kind {check.kind} needs one")
    options = rules.options_of.get(check.kind, ())
    for option, value in check.options.items():
        if option.endswith(FILE_OPTION) and not (file.path.parent / value).is_file():
            yield file.problem(
                (*path, "options", option), f"there is no file {value!r}; write it, readable by btimd only"
            )
        if option not in options:
            text = f"unknown option of a check of kind {check.kind}" + did_you_mean(option, options)
            yield file.problem((*path, "options", option), text)
    if check.slow_over is not None and check.slow_over > check.timeout:
        yield file.problem((*path, "slow_over"), "is longer than the timeout, so it can never be seen; make it shorter")

"""services.toml -> businesses, the service graph and the service rules, or every mistake in it at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from btimd.model.service import BusinessService, Check, Need, Node, NodeKind, ServiceGraph, ServiceRule
from btimd.model.view import BusinessGroup, IndicatorRule
from btimd.settings.load import Model, TomlFile, read_toml, salvage, validate
from btimd.settings.references import reference_problems
from btimd.settings.report import Problem, SettingsError, did_you_mean
from btimd.settings.tables import (
    FILE_OPTION,
    MAX_PORT,
    CheckRules,
    CheckTable,
    GroupTable,
    IndicatorTable,
    NodeTable,
    RuleTable,
    ServiceTable,
    Standing,
    Tables,
    Traffic,
)

_KINDS: Final = ("service", "rule", "node", "check", "group", "indicator")


@dataclass(frozen=True, slots=True)
class Services:
    """What services.toml says. `businesses` in the order of the file: their index is the business_id in columns."""

    businesses: tuple[str, ...]
    graph: ServiceGraph
    rules: tuple[ServiceRule, ...]
    groups: tuple[BusinessGroup, ...] = ()
    indicators: tuple[IndicatorRule, ...] = ()


def load_services(path: Path, rules: CheckRules, generation: int = 1) -> Services:
    """Return the services of a file; raises SettingsError with every mistake."""
    file = read_toml(path)
    tables, problems = _tables(file)
    problems += reference_problems(file, tables, rules)
    checks = {name: _check(name, table, rules, path.parent) for name, table in tables.check.items()}
    wrong = {problem.path for problem in problems}
    for name, check in checks.items():
        about = (f"check.{name}.options", f"check.{name}.port")
        if not any(path.startswith(about) for path in wrong) and (text := rules.problem_of(check)):
            problems.append(file.problem(("check", name, "options"), text))
    if problems:
        raise SettingsError(problems)
    asked: dict[str, list[Check]] = {}
    for check in checks.values():
        asked.setdefault(check.node, []).append(check)
    nodes = {name: _business_node(name, table, asked.get(name, ())) for name, table in tables.service.items()}
    nodes |= {name: _component_node(name, table, asked.get(name, ())) for name, table in tables.node.items()}
    businesses = {
        name: BusinessService(
            id=name,
            name=table.name,
            name_zh=table.name_zh,
            criticality=table.criticality,
            owner=table.owner,
            availability_percent=table.availability_percent,
            regions=table.regions,
            user_active_seconds=table.user_active,
            user_idle_seconds=table.user_idle,
        )
        for name, table in tables.service.items()
    }
    graph = ServiceGraph(MappingProxyType(nodes), MappingProxyType(businesses), generation)
    groups = tuple(
        BusinessGroup(
            id=name,
            name=group.name,
            name_zh=group.name_zh,
            members=group.members,
            rollup=group.rollup,
            quorum=group.quorum,
            weights=MappingProxyType(dict(group.weights)),
            ignore=group.ignore,
        )
        for name, group in tables.group.items()
    )
    indicators = tuple(
        IndicatorRule(name, one.service, one.name or name, one.degraded, one.bad)
        for name, one in tables.indicator.items()
    )
    return Services(tuple(businesses), graph, tuple(_rules(file, tables)), groups, indicators)


def _tables(file: TomlFile) -> tuple[Tables, list[Problem]]:
    """Validate each table by itself, so that one mistake does not hide those in other tables."""
    problems = [
        file.problem((kind,), "unknown table" + did_you_mean(kind, _KINDS)) for kind in file.data if kind not in _KINDS
    ]

    def read(kind: str, model: type[Model]) -> dict[str, Model]:
        written = file.data.get(kind, {})
        if not isinstance(written, dict):
            problems.append(file.problem((kind,), f"is no table; write [{kind}.ID]"))
            return {}
        read_tables: dict[str, Model] = {}
        for name in written:
            try:
                read_tables[name] = validate(file, model, (kind, name))
            except SettingsError as error:
                problems.extend(error.problems)
                rest = salvage(file, model, (kind, name))
                if rest is not None:
                    read_tables[name] = rest
        return read_tables

    declared = {kind: tuple(tables) if isinstance(tables := file.data.get(kind), dict) else () for kind in _KINDS}
    tables = Tables(
        service=read("service", ServiceTable),
        rule=read("rule", RuleTable),
        node=read("node", NodeTable),
        check=read("check", CheckTable),
        group=read("group", GroupTable),
        indicator=read("indicator", IndicatorTable),
        declared=declared,
    )
    return tables, problems


def _business_node(name: str, table: ServiceTable, checks: Iterable[Check]) -> Node:
    plain = Node(name, NodeKind.BUSINESS, table.name, table.need_ids, tuple(checks))
    return _standing(plain, table)


def _component_node(name: str, table: NodeTable, checks: Iterable[Check]) -> Node:
    plain = Node(
        id=name,
        kind=table.kind,
        name=table.name or name,
        needs=table.need_ids,
        checks=tuple(checks),
        prior=table.prior,
        region=table.region,
        device=table.device,
    )
    return _standing(plain, table)


def _standing(node: Node, table: Standing) -> Node:
    """Return a node that stands on its needs as its table says."""
    return replace(
        node,
        rollup=table.rollup,
        quorum=table.quorum,
        weights=MappingProxyType(dict(table.weights)),
        ignore=table.ignore,
        standby=table.standby,
        need_facts=tuple(Need(need.node, strength=need.strength) for need in table.needs if need.strength is not None),
    )


def _option(key: str, value: str, folder: Path) -> str:
    """Return an option; a file is named from the folder of services.toml."""
    return str(folder / value) if key.endswith(FILE_OPTION) else value


def _check(name: str, table: CheckTable, rules: CheckRules, folder: Path) -> Check:
    cost, closure, _ = rules.defaults_of(table.kind)
    return Check(
        id=name,
        node=table.node,
        kind=table.kind,
        host=table.host,
        port=table.port,
        options=MappingProxyType({key: _option(key, value, folder) for key, value in table.options.items()}),
        timeout_seconds=table.timeout,
        slow_over_seconds=table.slow_over,
        every_seconds=table.every,
        closure=table.closure or closure,
        cost=table.cost or cost,
    )


def _rules(file: TomlFile, tables: Tables) -> Iterator[ServiceRule]:
    for name, service in tables.service.items():
        yield from _product(file, ("service", name), service, (name,), None)
    for name, rule in tables.rule.items():
        yield from _product(file, ("rule", name), rule, rule.services, rule.node)


def _product(
    file: TomlFile, path: tuple[str, str], table: Traffic, owners: tuple[str, ...], node: str | None
) -> Iterator[ServiceRule]:
    count = 0
    for index, server in enumerate(table.prefixes):
        for low, high in table.ports or ((0, MAX_PORT),):
            for client in table.clients or (None,):
                count += 1
                line = file.problem((*path, "prefixes", index), "").line
                yield ServiceRule(
                    id=path[1] if count == 1 else f"{path[1]}#{count}",
                    businesses=owners,
                    server=server,
                    protocol=table.protocol,
                    port_low=low,
                    port_high=high,
                    client=client,
                    node=node,
                    source=f"{file.path.name}:{line}",
                )

"""Proposals -> tables to append to services.toml, with the evidence as comments."""

from collections.abc import Iterator, Mapping, Sequence

from btimd.flows.modeladdresses import ModelAddresses
from btimd.flows.portnames import PROTOCOL_NAMES
from btimd.model.discovery import DependencySuggestion, ServiceSuggestion, SuggestionKind, Suggestions

_HEAD = """\
# Proposed by btimd from observed traffic. Append what is right to services.toml, give it the names people use, and
# delete the rest; then run `btimd check`. confidence: the estimated probability that somebody who knows would agree.
"""


def patch_of(found: Suggestions, model: ModelAddresses) -> str:
    """Return TOML that may be appended to the services.toml of this model as it is; "" where nothing is proposed."""
    if not found.services and not found.dependencies:
        return ""
    blocks = [_HEAD]
    by_id = {one.id: one for one in found.services}
    users = _users_of(found.services, found.dependencies, model)
    blocks += ["\n".join(_tables(one, found.dependencies, users, model)) + "\n" for one in found.services]
    further = [one for one in found.dependencies if one.from_id not in by_id or by_id[one.from_id].extends]
    if further:
        lines = ["# Needs that tables of the present services.toml lack; add them there:"]
        for need in further:
            table = "service" if need.from_id in model.graph.businesses else "node"
            lines += [
                f"#   [{table}.{need.from_id}]  needs: add {_text(need.to_id)}  (confidence {need.confidence:.2f})"
            ]
            lines += [f"#     {_clean(line)}" for line in need.evidence]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _users_of(
    services: Sequence[ServiceSuggestion], dependencies: Sequence[DependencySuggestion], model: ModelAddresses
) -> Mapping[str, tuple[str, ...]]:
    """Return the businesses, proposed and present, that need each id, directly or not."""
    needs: dict[str, set[str]] = {name: set(needed) for name, needed in model.needs().items()}
    for one in dependencies:
        needs.setdefault(one.from_id, set()).add(one.to_id)
    businesses = [one.id for one in services if one.kind is SuggestionKind.SERVICE and not one.extends]
    businesses += list(model.graph.businesses)
    found: dict[str, list[str]] = {}
    for business in businesses:
        seen, work = {business}, [business]
        while work:
            for need in needs.get(work.pop(), ()):
                if need not in seen:
                    seen.add(need)
                    work.append(need)
        for node in seen - {business}:
            found.setdefault(node, []).append(business)
    return {node: tuple(names) for node, names in found.items()}


def _tables(
    one: ServiceSuggestion,
    dependencies: Sequence[DependencySuggestion],
    users: Mapping[str, tuple[str, ...]],
    model: ModelAddresses,
) -> Iterator[str]:
    """Yield the lines of the tables of one proposal."""
    yield f"# confidence {one.confidence:.2f}: {_clean(one.name)}"
    yield from (f"#   {_clean(line)}" for line in one.evidence)
    mine = [need for need in dependencies if need.from_id == one.id]
    for need in mine:
        text = "always on, so it is not known whether work stops without it; " if need.background else ""
        yield f"#   needs {need.to_id} (confidence {need.confidence:.2f}): {text}{_clean('; '.join(need.evidence))}"
    needs = [need.to_id for need in mine]
    if one.extends:
        yield from _addition(one, users, model)
    elif one.kind is SuggestionKind.SERVICE:
        yield f"[service.{_key(one.id)}]"
        yield f"name = {_text(one.name)}"
        yield f'criticality = "{one.criticality.value}"'
        yield f"needs = {_list([f'{one.id}-servers'])}"
        yield from _traffic(one)
        yield ""
        yield f"[node.{_key(f'{one.id}-servers')}]"
        yield f'kind = "{one.node_kind.value}"'
        yield f"name = {_text(f'Servers of {one.name}')}"
        yield f"needs = {_list(needs)}"
    else:
        yield f"[node.{_key(one.id)}]"
        yield f'kind = "{one.node_kind.value}"'
        yield f"name = {_text(one.name)}"
        yield f"needs = {_list(needs)}"
        if users.get(one.id) and one.kind is SuggestionKind.COMPONENT:
            yield ""
            yield f"[rule.{_key(f'{one.id}-traffic')}]"
            yield f"services = {_list(users[one.id])}"
            yield from _traffic(one)
            yield f"node = {_text(one.id)}"


def _addition(
    one: ServiceSuggestion, users: Mapping[str, tuple[str, ...]], model: ModelAddresses
) -> Iterator[str]:  # fmt: skip
    """Yield the rule that adds servers or ports to what a rule, a business or a node of the model has."""
    rule = next((rule for rule in model.rules if rule.id.partition("#")[0] == one.extends), None)
    if rule is not None:
        services, node = rule.businesses, rule.node
    elif one.extends in model.graph.businesses:
        services, node = (one.extends,), None
    else:
        services, node = users.get(one.extends, ()), one.extends
    if not services:
        yield f"#   it belongs to {one.extends}, which no business needs: give a rule for it when one does"
        return
    yield f"[rule.{_key(one.id)}]"
    yield f"services = {_list(services)}"
    yield from _traffic(one)
    if node is not None:
        yield f"node = {_text(node)}"


def _traffic(one: ServiceSuggestion) -> Iterator[str]:
    yield f"prefixes = {_list(one.servers)}"
    protocol = "any" if one.protocol == 0 else PROTOCOL_NAMES.get(one.protocol)
    yield f'protocol = "{protocol}"' if protocol else f"protocol = {one.protocol}"
    yield f"ports = [{', '.join(port if port.isdigit() else _text(port) for port in one.ports)}]"


def _key(text: str) -> str:
    return text if text.replace("-", "").replace("_", "").isalnum() and text.isascii() else _text(text)


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"


def _text(text: str) -> str:
    """Return a TOML basic string."""
    cleaned = _clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{cleaned}"'


def _clean(text: str) -> str:
    """Return a text of one line without control characters, so that nothing can end a comment or a string."""
    return "".join(character if character.isprintable() else "?" for character in text)

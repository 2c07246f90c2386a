"""Reads the incidents of a truth file: a JSON list over the ids of a model.

    [{"id": 1, "symptoms": ["erp@north"], "outcomes": {"db-12/sql": "bad", "os-4/agent": "unknown"},
      "causes": ["db-12"]}]

Indicators that are not among the symptoms are good, and so are probes without an outcome. Optional are outcomes,
causes (the truth, told only where it is known; may name nodes that the model does not hold), near (neighbours of such
causes) and changes (nodes that were changed a short time before).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from btimd.rca.jsonwalk import JsonWalk, shown
from btimd.rca.world import Incident, IntArray, World

_OUTCOMES: Final = frozenset({"good", "bad", "unknown"})


def parse_incidents(text: str, world: World) -> list[Incident]:
    """Return the incidents of a truth file; raises FileProblemsError with everything that is wrong, the first 50."""
    walk = JsonWalk(text)
    found: list[Incident] = []
    ids: set[int | str] = set()
    for number, (offset, element) in enumerate(walk.whole_list()):
        faults = list(_faults(element, world, ids))
        for path, wrong in faults:
            walk.wrong(offset, f"[{number}]{path}", wrong)
        if not faults:
            ids.add(element["id"])
            found.append(_incident(element, world))
    walk.finish()
    return found


def _incident(one: Mapping[str, Any], world: World) -> Incident:
    outcomes = one.get("outcomes", {})
    probes = world.probe_row
    causes = one.get("causes")
    return Incident(
        one["id"],
        _rows(world.indicator_row[name] for name in one["symptoms"]),
        _rows(probes[name] for name, outcome in outcomes.items() if outcome == "bad"),
        _rows(probes[name] for name, outcome in outcomes.items() if outcome == "unknown"),
        None if causes is None else tuple(dict.fromkeys(causes)),
        tuple(one.get("near", ())),
        _rows(world.node_row[name] for name in one.get("changes", ())),
    )


def _rows(rows: Iterable[int]) -> IntArray:
    return np.unique(np.fromiter(rows, np.int32))


def _faults(one: object, world: World, ids: set[int | str]) -> Iterator[tuple[str, str]]:
    """Yield path and text of everything that is wrong with an incident."""
    if not isinstance(one, dict):
        yield "", f"must be an object {{...}}, not {shown(one)}"
        return
    given = one.get("id")
    if isinstance(given, bool) or not isinstance(given, int | str):
        yield ".id", f"must be a number or a text, not {shown(given)}"
    elif given in ids:
        yield ".id", f"{shown(given)} is the id of an incident above already; use another"
    if not one.get("symptoms"):
        yield ".symptoms", f"must be a list of indicator ids that is not empty, not {shown(one.get('symptoms'))}"
    else:
        yield from _list_faults(one, "symptoms", world.indicator_row, "indicator")
    yield from _outcome_faults(one.get("outcomes", {}), world)
    yield from _list_faults(one, "causes", None, "node")
    yield from _list_faults(one, "near", None, "node")
    yield from _list_faults(one, "changes", world.node_row, "node")


def _list_faults(
    one: dict[str, Any], key: str, known: Mapping[str, int] | None, what: str
) -> Iterator[tuple[str, str]]:
    values = one.get(key)
    if values is None:
        return
    if not isinstance(values, list):
        yield f".{key}", f"must be a list of {what} ids, not {shown(values)}"
        return
    for number, value in enumerate(values):
        if not isinstance(value, str):
            yield f".{key}[{number}]", f"must be a text, not {shown(value)}"
        elif known is not None and value not in known:
            yield f".{key}[{number}]", f"the model has no {what} {shown(value)}; correct it or take it out"


def _outcome_faults(outcomes: object, world: World) -> Iterator[tuple[str, str]]:
    if not isinstance(outcomes, dict):
        yield ".outcomes", f"must be an object {{probe: outcome}}, not {shown(outcomes)}"
        return
    known = world.probe_row
    for name, outcome in outcomes.items():
        if name not in known:
            yield f".outcomes[{shown(name)}]", "the model has no such probe; correct it or take it out"
        elif not isinstance(outcome, str) or outcome not in _OUTCOMES:
            yield f".outcomes[{shown(name)}]", f"must be good, bad or unknown, not {shown(outcome)}"

"""btimd checks: which checks there are, what they cost and tell, and which a product should have."""

import argparse
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.cli.common import SubParsers, plain_console, print_json
from btimd.cli.ctl_tables import fill, new_table
from btimd.model.service import CheckKind, depth_of
from btimd.probes.catalogue import SPECS
from btimd.probes.templates import BY_NAME, PRODUCTS, Product, tables
from btimd.settings.report import Problem, SettingsError, did_you_mean

_ITSELF: Final = "btimd checks"
OUTCOMES: Final = {
    "good": "it works",
    "refused": "the host answers, nobody listens there: the process is down",
    "timeout": "the host is down, or something between drops packets",
    "unreachable": "no route, or the host is gone from its segment",
    "reset": "the connection is broken off: the process died, or something guards the port",
    "no-answer": "it takes the connection and never answers: it hangs",
    "name-error": "the host's name is unknown, or who should know it fails",
    "wrong-answer": "it answers, but not what was expected",
    "protocol-error": "something else answers there, or the answer is broken",
    "slow": "it works, slower than slow_over",
    "exceeded": "something measured is beyond its limit",
    "certificate": "its certificate is not accepted",
    "not-permitted": "this machine may not ask: no evidence",
    "over-budget": "the load budget did not allow it: no evidence",
    "local-failure": "it could not be asked, or who knows does not say: no evidence",
}
"""What the outcomes of a check tell, where its kind says nothing more exact."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "checks",
        help="print the kinds of checks, and the checks that products should have",
        description="Prints the catalogue: every kind of check with its cost (1 = one echo), what must work for it to "
        "be good (own: the node itself, local: also what it runs on, full: also all it needs) and its options; and the "
        "checks that a node of a product should have. Exit status 0, or 2 where a name is unknown.",
    )
    parser.add_argument("name", nargs="?", metavar="PRODUCT|KIND", help="show this one only, with all there is to know")
    parser.add_argument(
        "--toml", metavar="PRODUCT", help="print ready tables for services.toml; needs --node and --host"
    )
    parser.add_argument("--node", metavar="ID", help="id of the node in those tables")
    parser.add_argument("--host", metavar="HOST", help="name or address in those tables")
    parser.add_argument("--json", action="store_true", help="one JSON object with the catalogue")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the catalogue, or a part of it."""
    if options.toml:
        if not options.node or not options.host:
            raise _wrong("--toml needs --node and --host; write --toml oracle --node ora1 --host ora1.example")
        print(tables(_product(options.toml), node=options.node, host=options.host), end="")
        return 0
    name = options.name or ""
    kinds = [kind for kind in SPECS if name in {"", str(kind)}]
    products = [one for one in PRODUCTS if not name or name.lower() in one.names]
    if not kinds and not products:
        known = [*map(str, SPECS), *BY_NAME]
        raise _wrong(f"'{name}' is neither a product nor a kind of check" + did_you_mean(name, known))
    if options.json:
        print_json({"kinds": [kind_json(kind) for kind in kinds], "products": [product_json(one) for one in products]})
    else:
        parts = list(_named(kinds, products) if name else _all(kinds, products))
        plain_console().print(Group(*parts))
    return 0


def _product(name: str) -> Product:
    found = BY_NAME.get(name.lower())
    if found is None:
        raise _wrong(f"'{name}' is no known product" + did_you_mean(name, BY_NAME))
    return found


def _wrong(text: str) -> SettingsError:
    return SettingsError([Problem(_ITSELF, 0, "", text)])


def kind_json(kind: CheckKind) -> dict[str, Any]:
    """Return all that is known of a kind."""
    spec = SPECS[kind]
    return {
        "kind": str(kind),
        "cost": spec.cost,
        "closure": str(spec.closure),
        "depth": str(depth_of(kind)),
        "heavy": spec.heavy,
        "port": spec.default_port,
        "needs_port": spec.needs_port,
        "options": dict(spec.options),
        "outcomes": {**OUTCOMES, **spec.outcomes},
    }


def product_json(product: Product) -> dict[str, Any]:
    """Return all that is known of a product."""
    return {
        "product": product.name,
        "also": list(product.also),
        "title": product.title,
        "node_kind": str(product.kind),
        "needs_more": product.needs_more,
        "checks": [
            {
                "name": one.name,
                "kind": str(one.kind),
                "port": one.port,
                "options": dict(one.options),
                "every": one.every,
                "tells": one.tells,
            }
            for one in product.checks
        ],
    }


def _all(kinds: list[CheckKind], products: list[Product]) -> Iterator[Text | Table]:
    table = new_table(
        "kind", "cost", "good needs", "looks", "heavy", "port", "options", right=("cost", "port"), wide="options"
    )
    yield fill(
        table,
        (
            (
                str(kind),
                f"{SPECS[kind].cost:g}",
                str(SPECS[kind].closure),
                str(depth_of(kind)),
                "yes" if SPECS[kind].heavy else "",
                _port(kind),
                " ".join(SPECS[kind].options),
            )
            for kind in kinds
        ),
    )
    yield Text("")
    table = new_table("product", "is", "checks", wide="checks")
    yield fill(
        table,
        ((one.name, one.title, " ".join(f"{check.name}({check.kind})" for check in one.checks)) for one in products),
    )
    yield Text("")
    yield Text("btimd checks NAME shows one; btimd checks --toml PRODUCT --node ID --host HOST writes its tables")


def _port(kind: CheckKind) -> str:
    spec = SPECS[kind]
    return str(spec.default_port) if spec.default_port else "needed" if spec.needs_port else ""


def _named(kinds: list[CheckKind], products: list[Product]) -> Iterator[Text | Table]:
    for kind in kinds:
        spec = SPECS[kind]
        needs = {"own": "the node itself", "local": "the node and what it runs on", "full": "the node and all it needs"}
        yield Text(f"kind {kind}", style="bold")
        yield Text(f"cost {spec.cost:g}{', heavy' if spec.heavy else ''}; good needs {needs[spec.closure]}")
        if spec.options:
            yield fill(new_table("option", "meaning", wide="meaning"), spec.options.items())
            yield Text("")
        table = new_table("outcome", "tells", wide="tells")
        yield fill(table, {**OUTCOMES, **spec.outcomes}.items())
        yield Text("")
    for one in products:
        yield Text(f"product {one.name}: {one.title}", style="bold")
        if one.also:
            yield Text(f"also {', '.join(one.also)}")
        if one.needs_more:
            yield Text(f"adapt: {one.needs_more}")
        table = new_table(
            "check",
            "kind",
            "cost",
            "good needs",
            "port",
            "a failure tells",
            right=("cost", "port"),
            wide="a failure tells",
        )
        yield fill(
            table,
            (
                (
                    check.name,
                    str(check.kind),
                    f"{SPECS[check.kind].cost:g}" if check.kind in SPECS else "?",
                    str(SPECS[check.kind].closure) if check.kind in SPECS else "?",
                    str(check.port or ""),
                    check.tells,
                )
                for check in one.checks
            ),
        )
        yield Text("")

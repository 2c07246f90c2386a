import tomllib

import pytest

from btimd.model.service import CheckKind, NodeKind
from btimd.probes import kinds_basic, kinds_hosts, kinds_others
from btimd.probes.catalogue import problem_of
from btimd.probes.templates import BY_NAME, PRODUCTS, Product, Suggested, tables
from tests.probes.samples import check

READY = {**kinds_basic.KINDS, **kinds_hosts.KINDS, **kinds_others.KINDS}


def test_names_mean_one_product_each() -> None:
    assert len(BY_NAME) == sum(len(one.names) for one in PRODUCTS)
    assert BY_NAME["hpux"].name == "hp-ux"


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda one: one.name)
def test_a_product_has_checks_that_can_be_asked(product: Product) -> None:
    names = [one.name for one in product.checks]
    assert len(set(names)) == len(names) > 0
    for one in product.checks:
        assert one.tells
        if one.kind in READY:
            asked = check(kind=one.kind, port=one.port, options=one.options)
            assert problem_of(asked) == "", f"{product.name} {one.name}"


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda one: one.name)
def test_the_tables_of_a_product_are_toml(product: Product) -> None:
    written = tomllib.loads(tables(product, node="n 1", host='h"1'))
    assert set(written["node"]) == {"n 1"}
    assert [one["host"] for one in written["check"].values()] == ['h"1'] * len(product.checks)


def test_tables_are_ready_for_services_toml() -> None:
    asked = Suggested("ping", CheckKind.ICMP, "it is down", every="30s", options={"a": "b'\"c"})
    product = Product(
        "box", "Box", NodeKind.HOST, (asked, Suggested("sql", CheckKind.TCP, "no", port=1)), needs_more="x"
    )
    assert tables(product, node="box1", host="10.0.0.1") == (
        "# adapt: x\n"
        "[node.box1]\n"
        'kind = "host"\n'
        'name = "Box box1"\n'
        "\n"
        "[check.box1-ping]  # fails: it is down\n"
        'node = "box1"\n'
        'kind = "icmp"\n'
        'host = "10.0.0.1"\n'
        'timeout = "2s"\n'
        'every = "30s"\n'
        'options = { a = "b\'\\"c" }\n'
        "\n"
        "[check.box1-sql]  # fails: no\n"
        'node = "box1"\n'
        'kind = "tcp"\n'
        'host = "10.0.0.1"\n'
        "port = 1\n"
        'timeout = "2s"\n'
    )

"""NetBox objects as lines of a plan."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.netboxplan import from_netbox, netbox_value
from btimd.flows.planimport import Imported, Sources, plan_text

DATA = Path(__file__).parent / "data" / "netbox"


def results(name: str) -> list[Any]:
    found: list[Any] = json.loads((DATA / name).read_text())["results"]
    return found


PREFIXES = [*results("prefixes-1.json"), *results("prefixes-2.json")]
STATUSES = ("active", "reserved", "container", "dhcp")


def text(found: Imported) -> str:
    return plan_text(found.lines, [])


def test_prefixes_and_addresses_become_lines_in_the_order_of_addresses() -> None:
    found = from_netbox(
        PREFIXES, results("addresses.json"), mapping=Sources("site", "role", "description"), statuses=STATUSES,
        vrf="global", default_region="elsewhere",
    )  # fmt: skip

    assert text(found) == (
        "prefix,region,segment,person\n"
        "10.1.0.0/16,North,Clients,\n"
        "10.1.1.0/24,North,Sales,\n"
        "10.1.1.7/32,,,Li Wei\n"
        "10.2.0.0/16,South,Clients,\n"
        '10.2.0.9/32,,,"Wang, Fang (night)"\n'
    )
    assert found.problems == (
        "NetBox prefix 1: 10.0.0.0/8 names no region, segment or person; left out",
        "NetBox prefix 6: 2001:db8:1::/48 names no region, segment or person; left out",
    )


def test_a_prefix_of_two_vrfs_is_a_conflict_that_the_global_table_wins() -> None:
    found = from_netbox(PREFIXES, mapping=Sources("scope", "role"), statuses=("active",))

    assert found.problems == (
        (
            "NetBox prefix 5: 10.1.1.0/24 says Lab / - / -, but NetBox prefix 3 says North / Sales / -; kept the latter; "
            "choose a VRF with --vrf"
        ),
    )
    assert [line.prefix for line in found.lines] == ["10.1.0.0/16", "10.1.1.0/24", "10.2.0.0/16", "2001:db8:1::/48"]
    of_lab = from_netbox(PREFIXES, mapping=Sources("site"), vrf="65000:3")
    assert text(of_lab) == "prefix,region,segment,person\n10.1.1.0/24,Lab,,\n"


def test_everything_that_a_column_can_be_taken_from() -> None:
    first, second, third = PREFIXES[:3]
    assert [netbox_value(second, source) for source in ("site", "scope", "region", "role", "status", "none")] == [
        "North", "North", "", "Clients", "active", "",
    ]  # fmt: skip
    assert netbox_value(PREFIXES[5], "region") == "Europe"
    assert (netbox_value(first, "custom:area"), netbox_value(first, "custom:none")) == ("group", "")
    assert (netbox_value(third, "vlan"), netbox_value(third, "tag"), netbox_value(third, "tag:region:")) == (
        "sales-1", "region:N1", "N1",
    )  # fmt: skip
    assert netbox_value(results("prefixes-3.7.json")[0], "site") == "West"
    assert netbox_value(results("prefixes-3.7.json")[0], "scope") == "West"
    assert [netbox_value(one, "assigned") for one in results("addresses.json")] == ["", "pc-17", "vm-3"]
    assert netbox_value({"custom_fields": {"area": [{"display": "a"}, "b"]}}, "custom:area") == "a, b"


def test_a_mapping_that_cannot_be_is_told_with_those_that_can() -> None:
    with pytest.raises(ValueError, match="'plant' is nothing that NetBox has; known: site, scope, region"):
        from_netbox((), mapping=Sources("plant"))
    with pytest.raises(ValueError, match="'custom' is nothing"):
        from_netbox((), mapping=Sources("custom"))


def test_what_is_no_object_or_no_prefix_costs_itself_only() -> None:
    found = from_netbox(
        [7, {"prefix": "10.0.0.300/8"}, {"id": 3, "prefix": "10.5.0.0/16", "site": {"name": "x\x1b[0m\ny"}}],
        mapping=Sources("site"),
    )

    assert text(found) == "prefix,region,segment,person\n10.5.0.0/16,x [0m y,,\n"
    assert (found.skipped, found.problems) == (
        2, ("NetBox prefix 1: is no object; left out", "NetBox prefix 2: '10.0.0.300/8' is no prefix; left out"),
    )  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "prefix"]), inner),
    max_leaves=6,
)


@given(
    objects=st.lists(
        st.dictionaries(
            st.sampled_from(
                ["prefix", "address", "site", "scope", "scope_type", "vrf", "status", "tags", "custom_fields"]
            ),
            JSON | st.sampled_from(["10.0.0.0/8", "2001:db8::/32"]),
        ),
        max_size=4,
    ),
    source=st.sampled_from(["site", "scope", "tag", "custom:a", "assigned", "vrf"]),
)
def test_whatever_a_server_answers_becomes_lines_or_problems(objects: list[Any], source: str) -> None:
    found = from_netbox(objects, objects, mapping=Sources(source, "tag:a", source), default_region="r")

    assert plan_text(found.lines, []).count("\n") == len(found.lines) + 1

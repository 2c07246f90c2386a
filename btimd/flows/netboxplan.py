"""Lines of the IP plan out of NetBox's prefixes and IP addresses, as its REST API answers them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_interface, ip_network
from typing import Any, Final

from btimd.flows.planimport import MOST_CHARACTERS, Collected, Imported, ImportLine, Sources, cell, network_text

NETBOX_SOURCES: Final = (
    "site", "scope", "region", "location", "site-group", "tenant", "role", "vrf", "vlan", "description", "status",
    "dns-name", "assigned", "tag", "tag:START", "custom:NAME", "none",
)  # fmt: skip
"""What of a NetBox object a column of the plan may be taken from."""
_SCOPES: Final = {
    "site": "dcim.site",
    "region": "dcim.region",
    "location": "dcim.location",
    "site-group": "dcim.sitegroup",
}


def from_netbox(
    prefixes: Iterable[Any],
    addresses: Iterable[Any] = (),
    *,
    mapping: Sources,
    statuses: Sequence[str] = (),
    vrf: str | None = None,
    default_region: str = "",
) -> Imported:
    """Return the lines of NetBox prefixes and addresses (the objects of the REST API's `results`).

    statuses: those taken, () = all. vrf: of this VRF only (name or route distinguisher), "global" = of none, None = of
    all. Of addresses only those with a person are taken: the others are in their prefixes. default_region: for a
    prefix that names none and lies in no other of the source. Raises ValueError for a mapping that cannot be.
    """
    for source in (mapping.region, mapping.segment, mapping.person):
        _check_netbox(source)
    out = Collected()
    remedy = "choose a VRF with --vrf" if vrf is None else ""
    taken = list(_netbox_objects(prefixes, "prefix", mapping, statuses, vrf, out))
    for line in sorted(taken, key=lambda one: (one.vrf, one.where)):  # the global table first
        out.add(line, remedy)
    for line in sorted(
        _netbox_objects(addresses, "address", mapping, statuses, vrf, out), key=lambda one: (one.vrf, one.where)
    ):
        if line.person:
            out.add(line, remedy)
    out.fill_regions(default_region)
    return out.imported()


def _check_netbox(source: str) -> None:
    name, _, rest = source.partition(":")
    known = (name in NETBOX_SOURCES and not rest) or (name in {"custom", "tag"} and rest)
    if not known:
        raise ValueError(f"'{source}' is nothing that NetBox has; known: {', '.join(NETBOX_SOURCES)}")


def _netbox_objects(
    objects: Iterable[Any], key: str, mapping: Sources, statuses: Sequence[str], vrf: str | None, out: Collected
) -> Iterator[ImportLine]:
    for number, found in enumerate(objects, start=1):
        if not isinstance(found, Mapping):
            out.problem(f"NetBox {key} {number}: is no object; left out")
            continue
        where = f"NetBox {key} {cell(found.get('id')) or number}"
        if statuses and _named(found.get("status")) not in statuses:
            continue
        table = found.get("vrf")
        if vrf is not None and vrf not in _vrf_names(table):
            continue
        text = cell(found.get(key))
        try:
            prefix = str(ip_interface(text).ip) if key == "address" else network_text(text)
        except ValueError:
            out.problem(f"{where}: {text!r} is no {key}; left out")
            continue
        region, segment, person = (
            netbox_value(found, source) for source in (mapping.region, mapping.segment, mapping.person)
        )
        vrf_name = cell(table.get("name")) if isinstance(table, Mapping) else ""
        if key == "address":
            # the place of an address is that of its prefix; only the person is its own
            yield ImportLine(network_text(prefix), "", "", person, where, vrf_name)
        else:
            own = person if ip_network(prefix).num_addresses == 1 else ""
            yield ImportLine(prefix, region, segment, own, where, vrf_name)


def _vrf_names(table: Any) -> set[str]:
    if not isinstance(table, Mapping):
        return {"global"}
    return {cell(table.get("name")), cell(table.get("rd"))} - {""}


def netbox_value(found: Mapping[str, Any], source: str) -> str:  # noqa: PLR0911  one return per kind of source
    """Return what an object says for a source of NETBOX_SOURCES, "" = nothing."""
    name, _, rest = source.partition(":")
    match name:
        case "site" | "region" | "location" | "site-group":
            if name == "site" and found.get("site"):  # before NetBox 4.2
                return _named(found["site"])
            return _named(found.get("scope")) if found.get("scope_type") == _SCOPES[name] else ""
        case "scope":
            return _named(found.get("scope")) or _named(found.get("site"))
        case "custom":
            fields = found.get("custom_fields")
            return _named(fields.get(rest)) if isinstance(fields, Mapping) else ""
        case "tag":
            tags = found.get("tags")
            names = [_named(tag) for tag in tags] if isinstance(tags, Sequence) and not isinstance(tags, str) else []
            return next((one.removeprefix(rest).strip() for one in sorted(names) if one.startswith(rest)), "")
        case "assigned":
            return _assigned(found.get("assigned_object"))
    return _named(found.get(name.replace("-", "_")))


def _named(value: Any) -> str:
    """Return the name of a nested object, the value of a choice, or the text itself."""
    if isinstance(value, Mapping):
        return next((text for key in ("name", "value", "label", "display") if (text := cell(value.get(key)))), "")
    if isinstance(value, list):
        return ", ".join(text for one in value if (text := _named(one)))[:MOST_CHARACTERS]
    return cell(value)


def _assigned(value: Any) -> str:
    """Return the device or virtual machine whose interface an address is assigned to."""
    if not isinstance(value, Mapping):
        return ""
    return _named(value.get("device")) or _named(value.get("virtual_machine")) or _named(value)

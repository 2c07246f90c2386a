"""Writes a configuration folder with which the daemon watches the laboratory: what an operator would write for it.

The graph names every layer: businesses, their names in DNS, web, application and database processes, hosts, the data
centre's network and its power. Each process has two checks: one that it answers alone (closure local) and one that
goes all the way down (closure full), so that a diagnosis can tell a sick component from one that suffers.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from btimd.lab.enterprise import Enterprise
from btimd.lab.staff import Staff
from btimd.lab.topology import (
    BUSINESSES,
    DATABASES,
    DNS,
    GATEWAY_ADDRESS,
    HOST_ADDRESS,
    HOSTS,
    REGION_PREFIX,
    SEGMENTS,
    SERVER_PREFIX,
    BusinessPlan,
    ProcessPlan,
    agent_of,
    host_name_of,
)

NETWORK_NODE: Final = "net-dc"
FACILITY_NODE: Final = "power-dc"
_SENTINEL: Final = "2s"
_SECRET_MODE: Final = 0o600
_RING_OCTETS: Final = 16 * 1024 * 1024

Value = str | int | float | Sequence["Value"] | Mapping[str, "Value"]
Table = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where the daemon tells of incidents, and the secret it signs with."""

    url: str
    secret: str


def write_configuration(
    directory: Path,
    enterprise: Enterprise,
    webhook: Webhook | None = None,
    *,
    mirror: bool = False,
    staff: Staff | None = None,
) -> Path:
    """Write btimd.toml, services.toml, ipplan.csv and the secrets; return the path of btimd.toml.

    The enterprise must have started, because the files hold its ports. The daemon's own listeners are left to the
    kernel (port 0), its state goes below `directory`. mirror: the daemon captures the enterprise's packets too.
    staff: who can be sent to work, at once; they and the centre have tokens, in files called after them.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tables = _daemon_tables(directory, mirror=mirror)
    if webhook is not None:
        secret_file = _write_secret(directory / "webhook.secret", webhook.secret)
        tables["itsm.webhook.demo"] = {"url": webhook.url, "secret_file": str(secret_file)}
    if staff is not None:
        for name, secret in staff.tokens.items():
            _write_secret(token_file(directory, name), secret)
        tokens = "\n".join(toml_of({"[token]": one}) for one in staff.token_tables())
        (directory / "tokens.toml").write_text(tokens, encoding="utf-8")
        (directory / "people.toml").write_text(toml_of(staff.people_tables()), encoding="utf-8")
        tables["api"] = {**tables["api"], "tokens_file": str(directory / "tokens.toml")}
        tables["itsm.timers"] = {"wait": ("1s",) * 5}
    main = directory / "btimd.toml"
    main.write_text(toml_of(tables), encoding="utf-8")
    (directory / "services.toml").write_text(services_text(enterprise), encoding="utf-8")
    (directory / "ipplan.csv").write_text(ip_plan_text(enterprise.settings.users_per_segment), encoding="utf-8")
    return main


def token_file(directory: Path, name: str) -> Path:
    """Return where the token of somebody of the staff lies in a configuration folder."""
    return directory / f"{name}.token"


def _write_secret(path: Path, secret: str) -> Path:
    path.touch(mode=_SECRET_MODE)
    path.chmod(_SECRET_MODE)
    path.write_text(secret + "\n", encoding="utf-8")
    return path


def _daemon_tables(directory: Path, *, mirror: bool) -> dict[str, Table]:
    tables: dict[str, Table] = {
        "daemon": {"state_directory": str(directory / "state")},
        "capture.netflow": {"listen": ("127.0.0.1:0",)},
        # The users' records leave within a second, so windows need not wait ten for late ones.
        "flows": {"grace": "2s"},
        "store": {"kind": "embedded"},
        # The laboratory's servers bear more than an operator's: a diagnosis need not wait for its turn. And things
        # are broken again and again on purpose: that is no flapping.
        "probes": {"heavy_per_ten_seconds": 30.0, "heavy_burst": 12, "flap_count": 0},
        "api": {"grpc_listen": "127.0.0.1:0", "http_listen": "127.0.0.1:0"},
    }
    if mirror:
        tables["capture.span.mirror"] = {
            "interface": "lo", "snap_octets": 2048, "ring_bytes": _RING_OCTETS, "max_flows": 16_384,
        }  # fmt: skip
        tables["capture.evidence"] = {"payload": tuple(business.id for business in BUSINESSES), "pause": "20s"}
        # The exporter reports the same connections; what is captured counts once, and completely.
        tables["flows.duplicates"] = {"mode": "on", "prefer": ("mirror",)}
        tables["flows.quality"] = {"grace": "2s"}
    return tables


def ip_plan_text(users_per_segment: int) -> str:
    """Return ipplan.csv: regions, their segments, and the people whose name is known."""
    lines = ["prefix,region,segment,person"]
    lines += [f"{prefix},{region},," for region, prefix in REGION_PREFIX.items()]
    for segment in SEGMENTS:
        lines.append(f"{segment.prefix}.0/24,,{segment.name},")
        known = segment.people[:users_per_segment]
        lines += [f"{segment.address(number)}/32,,,{name}" for number, name in enumerate(known)]
    lines.append(f"{SERVER_PREFIX},datacentre,servers,")
    return "\n".join(lines) + "\n"


def services_text(enterprise: Enterprise) -> str:
    """Return services.toml for a started enterprise."""
    tables: dict[str, Table] = {}
    for business in BUSINESSES:
        tables |= _business(business, enterprise)
    for plan in DATABASES:
        tables |= _database(plan, enterprise)
    tables["rule.office-database"] = {
        "services": ("erp", "hr"),
        "prefixes": (f"{HOST_ADDRESS['host-db1']}/32",),
        "protocol": "tcp",
        "ports": (enterprise.endpoint(DATABASES[0])[1],),
        "node": "db1",
    }
    tables |= _infrastructure(enterprise)
    return toml_of(tables)


def _business(business: BusinessPlan, enterprise: Enterprise) -> dict[str, Table]:
    """Return the tables of a business and of what only it needs: its name, web server and application."""
    web_address, web_port = enterprise.endpoint(business.web)
    app_address, app_port = enterprise.endpoint(business.application)
    resolver = _host_port(enterprise.endpoint(DNS))
    page = {"path": "/page?id=1&size=1500", "expect_status": "200", "expect_text": "row 1:"}
    alive = {"path": "/alive", "expect_status": "200"}
    web, app = business.web.id, business.application.id
    return {
        f"service.{business.id}": {
            "name": business.name,
            "name_zh": business.name_zh,
            "criticality": business.criticality,
            "owner": business.owner,
            "availability_percent": business.availability_percent,
            "needs": (web, business.name_node),
            "prefixes": (f"{web_address}/32",),
            "protocol": "tcp",
            "ports": (web_port,),
        },
        f"check.{business.id}-page": {
            "node": business.id, "kind": "http", "host": business.host_name, "port": web_port,
            "timeout": "2500ms", "slow_over": "600ms", "every": _SENTINEL, "closure": "full",
            "options": page | {"resolver": resolver},
        },
        f"node.{business.name_node}": {
            "kind": "shared", "name": f"DNS record {business.host_name}", "needs": (DNS.id,),
        },
        f"check.{business.name_node}-lookup": {
            "node": business.name_node, "kind": "dns", **_at(enterprise.endpoint(DNS)),
            "timeout": "1s", "slow_over": "400ms", "every": _SENTINEL, "closure": "full",
            "options": {"name": business.host_name, "record": "A", "expect": web_address},
        },
        f"node.{web}": {
            "kind": "middleware", "name": business.web.name, "needs": (app, business.web.host),
        },
        f"check.{web}-connect": {
            "node": web, "kind": "tcp", **_at((web_address, web_port)), "timeout": "1s", "every": _SENTINEL,
        },
        f"check.{web}-alive": {
            "node": web, "kind": "http", **_at((web_address, web_port)), "timeout": "1s", "slow_over": "500ms",
            "closure": "local", "options": alive,
        },
        f"check.{web}-page": {
            "node": web, "kind": "http", **_at((web_address, web_port)), "timeout": "2500ms", "slow_over": "600ms",
            "closure": "full", "options": page,
        },
        f"node.{app}": {
            "kind": "application", "name": business.application.name,
            "needs": (business.database.id, business.application.host),
        },
        f"check.{app}-connect": {
            "node": app, "kind": "tcp", **_at((app_address, app_port)), "timeout": "1s",
        },
        f"check.{app}-alive": {
            "node": app, "kind": "http", **_at((app_address, app_port)), "timeout": "1s", "slow_over": "500ms",
            "closure": "local", "options": alive,
        },
        f"check.{app}-data": {
            "node": app, "kind": "http", **_at((app_address, app_port)), "timeout": "2s", "slow_over": "500ms",
            "closure": "full", "options": {"path": "/data?id=1", "expect_status": "200", "expect_text": "row 1:"},
        },
    }  # fmt: skip


def _database(plan: ProcessPlan, enterprise: Enterprise) -> dict[str, Table]:
    place = _at(enterprise.endpoint(plan))
    return {
        f"node.{plan.id}": {"kind": "database", "name": plan.name, "needs": (plan.host,)},
        f"check.{plan.id}-connect": {"node": plan.id, "kind": "tcp", **place, "timeout": "1s"},
        f"check.{plan.id}-sql": {
            "node": plan.id, "kind": "postgres", **place, "timeout": "1s", "slow_over": "400ms",
            "options": {"user": "btimd", "database": "business"},
        },
    }  # fmt: skip


def _infrastructure(enterprise: Enterprise) -> dict[str, Table]:
    """Return the tables of the name server, the hosts, the network and the power."""
    tables: dict[str, Table] = {
        f"node.{DNS.id}": {"kind": "shared", "name": DNS.name, "needs": (DNS.host,)},
        f"check.{DNS.id}-own-name": {
            "node": DNS.id, "kind": "dns", **_at(enterprise.endpoint(DNS)), "timeout": "1s", "slow_over": "400ms",
            "closure": "local",
            "options": {"name": host_name_of(DNS), "record": "A", "expect": HOST_ADDRESS[DNS.host]},
        },
    }  # fmt: skip
    for host in HOSTS:
        tables[f"node.{host.id}"] = {"kind": "host", "name": host.name, "needs": (NETWORK_NODE,)}
        # No echo check: loopback answers echoes for every address, whether the host is up or not.
        tables[f"check.{host.id}-agent"] = {
            "node": host.id, "kind": "tcp", **_at(enterprise.endpoint(agent_of(host))), "timeout": "1s",
        }  # fmt: skip
    tables[f"node.{NETWORK_NODE}"] = {"kind": "network", "name": "data centre network", "needs": (FACILITY_NODE,)}
    tables[f"check.{NETWORK_NODE}-echo"] = {
        "node": NETWORK_NODE, "kind": "icmp", "host": GATEWAY_ADDRESS, "timeout": "1s", "every": _SENTINEL,
    }  # fmt: skip
    tables[f"node.{FACILITY_NODE}"] = {"kind": "facility", "name": "data centre power"}
    return tables


def _at(endpoint: tuple[str, int]) -> dict[str, Value]:
    return {"host": endpoint[0], "port": endpoint[1]}


def _host_port(endpoint: tuple[str, int]) -> str:
    return f"{endpoint[0]}:{endpoint[1]}"


def toml_of(tables: Mapping[str, Table]) -> str:
    """Return tables as TOML; names of tables are dotted bare keys."""
    blocks = []
    for name, table in tables.items():
        lines = [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _value(value: Value) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a TOML basic string: the same escapes
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return str(value)

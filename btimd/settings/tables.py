"""The tables of services.toml, each checked by itself."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from btimd.model.address import Prefix
from btimd.model.service import Check, CheckKind, Closure, Criticality, NodeKind, Rollup
from btimd.model.view import FIGURES
from btimd.settings.expressions import parse
from btimd.settings.fields import Duration, Percent, Section

PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "sctp": 132}
MAX_PORT: Final = 65535
FILE_OPTION: Final = "_file"
"""Options of checks whose names end so name a file."""
_MAX_PROTOCOL: Final = 255
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_PORT_RANGE: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def _protocol(value: Any) -> int | None:
    if value is None or value == "any":
        return None
    if isinstance(value, str) and value in PROTOCOLS:
        return PROTOCOLS[value]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_PROTOCOL:
        return value
    raise ValueError(f"{value!r} is no protocol; write {', '.join(PROTOCOLS)}, any, or a number from 0 to 255")


def _ports(value: Any) -> tuple[int, int]:
    match = _PORT_RANGE.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    low = int(match[1]) if match else -1
    high = int(match[2] or match[1]) if match else -1
    if not 0 <= low <= high <= MAX_PORT:
        raise ValueError(f'{value!r} is no port; write 443 or "8000-8010", from 0 to 65535')
    return low, high


def _prefix(value: Any) -> Prefix:
    text = str(value)
    try:
        return Prefix.parse(text)
    except ValueError:
        pass
    try:
        right = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f'{text!r} is no prefix; write "10.2.0.0/16" or "2001:db8::/32"') from error
    raise ValueError(f"{text} has host bits; write {right}")


def _option(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    raise ValueError(f"{value!r} is no text")


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("must be longer than nothing")
    return value


Protocol_ = Annotated[int | None, BeforeValidator(_protocol)]
PortRange = Annotated[tuple[int, int], BeforeValidator(_ports)]
PrefixField = Annotated[Prefix, BeforeValidator(_prefix)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]


def _indicator(text: str) -> str:
    if text:
        parse(text, FIGURES)
    return text


IndicatorText = Annotated[str, AfterValidator(_indicator)]


class NeedTable(Section):
    """A need of which more is said than the node's id."""

    node: str
    strength: Annotated[float, Field(gt=0, le=1)] | None = None


def _need(value: Any) -> Any:
    if isinstance(value, str):
        return {"node": value}
    if isinstance(value, dict):
        return value
    raise ValueError(f'{value!r} is no need; write "db1" or {{ node = "db1", strength = 0.3 }}')


NeedField = Annotated[NeedTable, BeforeValidator(_need)]


class Standing(Section):
    """What both a service and a node say of what they stand on, and of how they stand when part of it is bad."""

    needs: tuple[NeedField, ...] = ()
    rollup: Rollup = Rollup.WORST
    quorum: int = Field(default=1, ge=1)
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    standby: tuple[str, ...] = ()

    @property
    def need_ids(self) -> tuple[str, ...]:
        """The ids alone, each once, in the order of the file."""
        return tuple(dict.fromkeys(need.node for need in self.needs))


class Traffic(Section):
    """What both a service and a rule say of traffic: which servers, protocol, ports and clients."""

    prefixes: tuple[PrefixField, ...] = ()
    protocol: Protocol_ = None
    ports: tuple[PortRange, ...] = ()
    clients: tuple[PrefixField, ...] = ()


class ServiceTable(Standing, Traffic):
    """[service.ID]: a business and, in short form, the rule for its traffic."""

    name: str
    name_zh: str = ""
    criticality: Criticality = Criticality.NORMAL
    owner: str = ""
    availability_percent: Percent | None = None
    regions: tuple[str, ...] = ()
    user_active: PositiveDuration | None = None
    user_idle: PositiveDuration | None = None


class RuleTable(Traffic):
    """[rule.ID]: traffic that one or several businesses own."""

    services: tuple[str, ...] = Field(min_length=1)
    node: str | None = None


class NodeTable(Standing):
    """[node.ID]: a component."""

    kind: NodeKind
    name: str = ""
    region: str = ""
    device: str = ""
    prior: float | None = Field(default=None, gt=0, lt=1)


class CheckTable(Section):
    """[check.ID]: something that can be asked of a node."""

    node: str
    kind: CheckKind
    host: str = Field(min_length=1)
    port: int = Field(default=0, ge=0, le=MAX_PORT)
    timeout: PositiveDuration = 2.0
    slow_over: PositiveDuration | None = None
    every: PositiveDuration | None = None
    closure: Closure | None = None
    cost: float | None = Field(default=None, gt=0)
    options: dict[str, Annotated[str, BeforeValidator(_option)]] = Field(default_factory=dict)


class GroupTable(Section):
    """[group.ID]: businesses and groups that belong together, and how their states make up its own."""

    name: str
    name_zh: str = ""
    members: tuple[str, ...] = Field(min_length=1)
    rollup: Rollup = Rollup.WORST
    quorum: int = Field(default=1, ge=1)
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()


class IndicatorTable(Section):
    """[indicator.ID]: an operator's own indicator: expressions over a business's figures."""

    service: str
    name: str = ""
    degraded: IndicatorText = ""
    bad: IndicatorText = ""


@dataclass(frozen=True, slots=True)
class CheckRules:
    """What the probes know of checks; the daemon passes it in, because settings do not know the probes.

    defaults_of: cost, closure and whether it is heavy, by kind. options_of: the names of options, by kind.
    needs_port: whether the operator must write a port, by kind. problem_of: what is wrong with a check's options in
    words, empty where they are right.
    """

    defaults_of: Callable[[CheckKind], tuple[float, Closure, bool]]
    options_of: Mapping[CheckKind, tuple[str, ...]]
    needs_port: Callable[[CheckKind], bool]
    problem_of: Callable[[Check], str]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of services.toml that are right in themselves, and the ids of all that were written."""

    service: dict[str, ServiceTable]
    rule: dict[str, RuleTable]
    node: dict[str, NodeTable]
    check: dict[str, CheckTable]
    group: dict[str, GroupTable]
    indicator: dict[str, IndicatorTable]
    declared: dict[str, tuple[str, ...]]

    @property
    def needing(self) -> dict[str, ServiceTable | NodeTable]:
        """Everything that may have needs."""
        return {**self.service, **self.node}

    def kind_of(self, name: str) -> str:
        """Return in which sort of table something that may have needs is written."""
        return "service" if name in self.service else "node"

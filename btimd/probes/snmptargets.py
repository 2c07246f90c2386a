"""Settings and secret files -> devices to ask by SNMP, with all that asking them needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from btimd.probes.mibs import GROUPS, RowBounds
from btimd.probes.settings import SnmpAccessSettings, SnmpDefaultSettings, SnmpDeviceSettings

SHORTEST_PASS_PHRASE: Final = 8  # RFC 3414 section 11.2
_PORT: Final = 161
_EVERY: Final = 600.0
_COUNTERS_EVERY: Final = 60.0
_TIMEOUT: Final = 2.0
_RETRIES: Final = 2
_REQUESTS_PER_SECOND: Final = 10.0
_BOUNDS: Final = RowBounds()


@dataclass(frozen=True, slots=True)
class Community:
    """SNMPv2c, or v1 for agents that know nothing else: the community is all there is to say."""

    community: bytes = field(repr=False)
    version: str = "2c"

    @override
    def __str__(self) -> str:
        return f"SNMPv{self.version}"


@dataclass(frozen=True, slots=True)
class User:
    """SNMPv3 with the user-based security model. auth, priv: protocol, "" = none; keys: pass phrases."""

    name: str
    auth: str = ""
    auth_key: bytes = field(default=b"", repr=False)
    priv: str = ""
    priv_key: bytes = field(default=b"", repr=False)
    context: str = ""

    @property
    def level(self) -> str:
        """noAuthNoPriv, authNoPriv or authPriv."""
        return "authPriv" if self.priv else "authNoPriv" if self.auth else "noAuthNoPriv"

    @override
    def __str__(self) -> str:
        return f"SNMPv3 as {self.name}, {self.level}"


@dataclass(frozen=True, slots=True)
class Target:
    """A device to ask. name: of its table, "" for one that was found. groups: of mibs.GROUPS. Durations in seconds."""

    name: str
    address: str
    credentials: Community | User
    port: int = _PORT
    every: float = _EVERY
    counters_every: float = _COUNTERS_EVERY
    timeout: float = _TIMEOUT
    retries: int = _RETRIES
    requests_per_second: float = _REQUESTS_PER_SECOND
    groups: tuple[str, ...] = GROUPS
    bounds: RowBounds = _BOUNDS

    @property
    def who(self) -> str:
        """Name and place, for errors and logs."""
        where = f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
        return f"{self.name} ({where})" if self.name else where


def targets_of(
    devices: dict[str, SnmpDeviceSettings], defaults: SnmpDefaultSettings, read_secret: Callable[[Path], bytes]
) -> tuple[tuple[Target, ...], tuple[tuple[str, str], ...]]:
    """Return the devices to ask, and (name, what is wrong) of tables that cannot be used.

    read_secret: settings.fields.read_secret; its ValueError is passed on as what is wrong.
    """
    targets, problems = [], []
    places: dict[tuple[str, int], str] = {}
    for name, device in devices.items():
        try:
            target = _target(name, device.address, device, defaults, read_secret)
        except ValueError as error:
            problems.append((name, str(error)))
            continue
        other = places.setdefault((target.address, target.port), name)
        if other != name:
            problems.append((name, f"{target.address} port {target.port} is asked as '{other}' already; remove one"))
            continue
        targets.append(target)
    return tuple(targets), tuple(problems)


def exporter_target(address: str, defaults: SnmpDefaultSettings, read_secret: Callable[[Path], bytes]) -> Target:
    """Return how an exporter that no table names is asked; raises ValueError where the defaults say too little."""
    return _target("", address, SnmpAccessSettings(), defaults, read_secret)


def _target(
    name: str,
    address: str,
    device: SnmpAccessSettings,
    defaults: SnmpDefaultSettings,
    read_secret: Callable[[Path], bytes],
) -> Target:
    def said(key: str, otherwise: Any) -> Any:
        own, common = getattr(device, key), getattr(defaults, key)
        return own if own is not None else common if common is not None else otherwise

    return Target(
        name=name,
        address=address,
        credentials=_credentials(device, defaults, read_secret),
        port=said("port", _PORT),
        every=said("every", _EVERY),
        counters_every=said("counters_every", _COUNTERS_EVERY),
        timeout=said("timeout", _TIMEOUT),
        retries=said("retries", _RETRIES),
        requests_per_second=said("max_requests_per_second", _REQUESTS_PER_SECOND),
        groups=said("tables", GROUPS),
        bounds=RowBounds(defaults.max_interfaces, defaults.max_stations, defaults.max_routes),
    )


def _credentials(
    device: SnmpAccessSettings, defaults: SnmpDefaultSettings, read_secret: Callable[[Path], bytes]
) -> Community | User:
    """Return the device's own credentials; the defaults' where it names none. They are never mixed."""
    version = device.version or ("3" if device.user else "2c" if device.community_file else defaults.version)
    source = device if device.user is not None or device.community_file is not None else defaults
    version = version or ("3" if source.user else "2c")
    if version == "2c":
        if source.community_file is None:
            raise ValueError("version 2c needs community_file; write the file that holds the community")
        return Community(read_secret(source.community_file))
    if source.user is None:
        raise ValueError("version 3 needs user; write the name of the SNMPv3 user")
    context = device.context if device.context is not None else source.context
    return User(
        name=source.user,
        auth=source.auth_protocol or "",
        auth_key=_pass_phrase(source.auth_key_file, read_secret),
        priv=source.priv_protocol or "",
        priv_key=_pass_phrase(source.priv_key_file, read_secret),
        context=context or "",
    )


def _pass_phrase(path: Path | None, read_secret: Callable[[Path], bytes]) -> bytes:
    if path is None:
        return b""
    found = read_secret(path)
    if len(found) < SHORTEST_PASS_PHRASE:
        raise ValueError(f"{path} holds {len(found)} characters; SNMPv3 wants at least {SHORTEST_PASS_PHRASE}")
    return found

"""Types of configuration values, each with a message that says what was found and what to write instead."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

_DURATION: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h|d)")
_SECONDS_PER: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MAX_PORT: Final = 65535
_SECRET_MODE_MASK: Final = 0o077


class Section(BaseModel):
    """A table of the configuration: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


def parse_duration(value: Any) -> float:
    """Return seconds of "500ms", "2s", "5m", "1h", "7d"; raises ValueError for anything else."""
    if isinstance(value, float):  # a default given in seconds by our own code; TOML floats are refused below
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} is no duration; write a number with its unit: "500ms", "2s", "5m", "1h", "7d"')
    return float(match["number"]) * _SECONDS_PER[match["unit"]]


def parse_host_port(value: Any) -> tuple[str, int]:
    """Return (host, port) of "127.0.0.1:2055" or "[::1]:2055"; raises ValueError for anything else."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is no address; write "127.0.0.1:2055" or "[::1]:2055"')  # noqa: TRY004  pydantic reports ValueError only
    host, separator, port = value.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not separator or not host or not port.isdigit() or int(port) > _MAX_PORT or (":" in host and not bracketed):
        raise ValueError(f'{value!r} is no address with a port; write "127.0.0.1:2055" or "[::1]:2055"')
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Tell whether an address or the name of a host can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_percent(value: float) -> float:
    if not 0.0 < value <= 100.0:  # noqa: PLR2004  a percentage
        raise ValueError(f"{value} is no percentage above 0 and up to 100")
    return value


def read_secret(path: Path) -> bytes:
    """Return the secret in a file without the line's end; raises ValueError that says what is wrong with the file."""
    try:
        mode = path.stat().st_mode
        text = path.read_bytes().strip()
    except OSError as error:
        raise ValueError(
            f"cannot read {path}: {error.strerror}; put the secret there, readable by btimd only"
        ) from error
    if mode & _SECRET_MODE_MASK:
        raise ValueError(f"{path} can be read by others (mode {mode & 0o777:o}); run chmod 600 {path}")
    if not text:
        raise ValueError(f"{path} is empty; put the secret there")
    return text


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    """Return the path as seen from the folder of the configuration, if it is known and the path is relative."""
    folder = (info.context or {}).get("folder")
    return folder / path if isinstance(folder, Path) else path


SettingsPath = Annotated[Path, AfterValidator(_from_folder)]
"""A path; a relative one starts at the folder of the configuration file."""

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""Seconds, written with a unit."""

HostPort = Annotated[tuple[str, int], BeforeValidator(parse_host_port)]
"""(host, port)."""

Percent = Annotated[float, AfterValidator(_check_percent)]
"""A percentage above 0 and up to 100."""

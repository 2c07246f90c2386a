"""Where a running btimd listens, for who started it with port 0: a small file in the state directory."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "addresses.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Host and port of each listener. capture: datagrams of flow export; capture_tcp: connections of exporters."""

    capture: tuple[tuple[str, int], ...]
    grpc: tuple[str, int]
    http: tuple[str, int]
    capture_tcp: tuple[tuple[str, int], ...] = ()


def write_addresses(state_directory: Path, addresses: Addresses) -> None:
    """Say that btimd is ready and where; the file appears whole or not at all."""
    new = state_directory / f".{FILE_NAME}.new"
    new.write_text(json.dumps(asdict(addresses)) + "\n", encoding="ascii")
    new.rename(state_directory / FILE_NAME)


def read_addresses(state_directory: Path) -> Addresses | None:
    """Return where a btimd with this state directory listens; None when none is ready."""
    try:
        found = json.loads((state_directory / FILE_NAME).read_text(encoding="ascii"))
        udp, tcp = (tuple((host, port) for host, port in found[name]) for name in ("capture", "capture_tcp"))
        return Addresses(udp, (found["grpc"][0], found["grpc"][1]), (found["http"][0], found["http"][1]), tcp)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def forget_addresses(state_directory: Path) -> None:
    """Say that btimd is not ready."""
    (state_directory / FILE_NAME).unlink(missing_ok=True)

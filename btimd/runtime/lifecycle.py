"""Component: the life that everything with resources leads."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class HealthLevel(StrEnum):
    """How a component feels."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """A level and the reason, empty where it is OK."""

    level: HealthLevel = HealthLevel.OK
    reason: str = ""


class Component(Protocol):
    """A part of the daemon.

    The constructor does nothing but store. start takes resources (bind first, so that port 0 can be asked). run
    works until it is cancelled. stop is bounded (5 s) and may be called twice, also when start failed or never ran.
    """

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        ...

    async def start(self) -> None:
        """Take resources."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    async def stop(self) -> None:
        """Give everything back; drain what can be drained."""
        ...

    def health(self) -> ComponentHealth:
        """Say how it is."""
        ...

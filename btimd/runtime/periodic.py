"""Periodic: something small that is to be done again and again, as a component."""

import asyncio
from collections.abc import Awaitable, Callable

from typing_extensions import override

from btimd.model.units import Seconds
from btimd.runtime.lifecycle import Component, ComponentHealth


class Periodic(Component):
    """Awaits `action` every so many seconds, the first time after as many. What it raises is the supervisor's."""

    def __init__(self, name: str, every_seconds: Seconds, action: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._every = every_seconds
        self._action = action

    @property
    @override
    def name(self) -> str:
        return self._name

    @override
    async def start(self) -> None:
        """Take nothing."""

    @override
    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._action()

    @override
    async def stop(self) -> None:
        """Give nothing back."""

    @override
    def health(self) -> ComponentHealth:
        return ComponentHealth()

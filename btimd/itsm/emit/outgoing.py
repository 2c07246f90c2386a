"""Everything between incidents and other systems: the courier, what comes back, and the watch over both."""

import asyncio
import random as chances
from collections.abc import Awaitable, Callable, Sequence

from btimd.itsm.emit.callbackdesk import CallbackDesk
from btimd.itsm.emit.courier import Courier
from btimd.itsm.emit.deliverydesk import DeliveryDesk
from btimd.itsm.emit.inbox import Inbox, OnUpdate
from btimd.itsm.emit.targets import callbacks_of, sources_of, targets_of
from btimd.itsm.emit.watch import DeliveryWatch, Hears, about_target
from btimd.itsm.settings import ItsmSettings
from btimd.model.delivery import DeliveryStore, ExternalReference
from btimd.model.incident import Incident
from btimd.model.ports import Journal
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics


class Outgoing:
    """Targets, told and heard. store: of what people see and change of delivery; without it nobody can.

    on_reference: told what a target calls an incident. hears: takes the trouble that targets make.
    """

    def __init__(
        self,
        settings: ItsmSettings,
        journal: Journal,
        store: DeliveryStore | None,
        *,
        hears: Hears,
        on_update: OnUpdate,
        on_reference: Callable[[ExternalReference], Awaitable[None]],
        metrics: Metrics,
        clock: Clock,
        log: Log,
        chance: chances.Random,
    ) -> None:
        self._names = tuple(name for _, name in settings.target_names())
        targets = targets_of(settings, journal, clock, on_reference)
        sources = sources_of(settings, targets)
        self.courier = Courier(
            journal=journal,
            targets=targets,
            rules=settings.delivery_rules(),
            metrics=metrics,
            clock=clock,
            log=log,
            chance=chance,
            backlog_after=settings.backlog_after,
            on_dead=lambda _message, _error: self.watch.wake(),
        )
        self.inbox = Inbox(journal=journal, sources=sources, on_update=on_update, metrics=metrics, clock=clock, log=log)
        self.callbacks = CallbackDesk(callbacks_of(settings), inbox=self.inbox, metrics=metrics, clock=clock, log=log)
        self.watch = DeliveryWatch(
            journal=journal,
            states=self.courier.states,
            hears=hears,
            clock=clock,
            backlog_after=settings.backlog_after,
        )
        asked = {source.name for source in sources}
        self.desk = (
            None
            if store is None
            else DeliveryDesk(
                courier=self.courier,
                targets=targets,
                kinds=settings.target_names(),
                two_way={name: (name in self.callbacks.names, name in asked) for name in self._names},
                journal=journal,
                store=store,
                clock=clock,
                log=log,
            )
        )

    async def start(self) -> None:
        """Start every target, and hold those that people paused."""
        self.callbacks.start()
        await self.courier.start()
        if self.desk is not None:
            await self.desk.start()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.courier.run())
            group.create_task(self.inbox.run())
            group.create_task(self.watch.run())

    async def stop(self) -> None:
        """Let what is on its way arrive, and close the targets."""
        await self.courier.stop()

    def told_of(self, incident: Incident) -> Sequence[str]:
        """Return who is told of an incident: all, save the target that it is about."""
        about = about_target(incident.fingerprint)
        return tuple(name for name in self._names if name != about) if about else self._names

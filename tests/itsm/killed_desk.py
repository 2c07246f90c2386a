"""A desk in a process of its own, to be killed: python -m tests.itsm.killed_desk JOURNAL SECRET URL RUN COUNT.

Opens COUNT incidents and works each through, then says "done" when its outbox is empty. RUN makes ids unique.
"""

import asyncio
import random
import sys
from pathlib import Path

from btimd.itsm.component import IncidentComponent
from btimd.itsm.settings import ItsmSettings, WebhookSettings
from btimd.model.incident import CommandKind, Impact, ImpactAssessment, IncidentCommand, Urgency
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.journal import SqliteJournal
from tests.itsm.examples import REPORT, verdict

PAUSE = 0.02


async def main(journal_path: Path, secret: Path, url: str, run: str, count: int) -> None:
    journal = SqliteJournal(journal_path)
    journal.open()
    hook = WebhookSettings(url=url, secret_file=secret, timeout=2.0)
    desk = IncidentComponent(
        settings=ItsmSettings(webhook={"desk": hook}, settle=0.3, backoff_cap=0.3),
        journal=journal,
        metrics=Metrics(),
        clock=SystemClock(),
        log=Log("itsm"),
        random=random.Random(run),
        on_incident=lambda _: None,
    )
    await desk.start()
    running = asyncio.create_task(desk.run())
    for number in range(count):
        cause = f"node-{run}-{number}"
        opened = await desk.verdict(
            verdict(id=f"D-{cause}", cause=cause, path=("erp", cause), symptoms=(cause,)),
            ImpactAssessment(("erp",)),
            Impact.LOW,
            Urgency.LOW,
        )
        assert opened is not None
        for kind, text in [(CommandKind.ACCEPT, ""), (CommandKind.RESOLVE, REPORT)]:
            wish = IncidentCommand(kind, f"{cause}-{kind}", opened.id, text=text, override_reason="a test")
            await desk.command(wish, "ann")
        await asyncio.sleep(PAUSE)
    while (depth := await journal.outbox_depth())["pending"] or depth["inflight"]:  # noqa: ASYNC110  a journal tells nobody
        await asyncio.sleep(PAUSE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await desk.stop()
    journal.close()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])))

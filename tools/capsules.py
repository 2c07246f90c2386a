"""Records tests/rca/capsules again: a btimd watches the loopback laboratory while one fault after the other comes.

python tools/capsules.py [FAULT ...] [--folder FOLDER]. Every fault takes some seconds.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from btimd.daemon.app import App
from btimd.daemon.config import load_config
from btimd.lab.config import write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.faults import FAULTS
from btimd.model.verdict import VerdictStatus
from btimd.rca.capsulefiles import SUFFIX
from btimd.sla.component import SlaComponent

FOLDER = Path(__file__).parents[1] / "tests" / "rca" / "capsules"
RECORDED = (
    "db-dead", "db-hung", "db-slow", "app-error", "app-hung", "web-dead", "dns-record-gone", "dns-record-wrong",
    "dns-dead", "host-down", "host-power-off",
)  # fmt: skip
"""Of each kind one; `python tools/capsules.py list` shows all there are."""

_QUIET_SECONDS = 60.0
_VERDICT_SECONDS = 30.0


async def record(names: list[str], target: Path) -> list[str]:
    """Record the faults; return what went wrong in words. Each has a btimd of its own, which knows of no other."""
    wrong = []
    async with Enterprise() as enterprise:
        for name in names:
            with tempfile.TemporaryDirectory() as scratch:
                write_configuration(Path(scratch), enterprise)
                app = App(load_config(Path(scratch)))
                await app.start()
                running = asyncio.create_task(app.run())
                try:
                    problem = await _one(app, enterprise, name, target)
                finally:
                    app.request_stop()
                    await running
                    await app.stop()
            print(f"{name:20} {problem or 'recorded'}", flush=True)
            wrong += [f"{name}: {problem}"] if problem else []
    return wrong


async def _one(app: App, enterprise: Enterprise, name: str, target: Path) -> str:
    try:
        async with asyncio.timeout(_QUIET_SECONDS):
            while app.wired.probes.open_symptoms() or not _all_up(app.wired.sla):  # noqa: ASYNC110  a script
                await asyncio.sleep(0.1)
        await enterprise.inject(name)
        async with asyncio.timeout(_VERDICT_SECONDS):
            while not (kept := app.wired.capsules.diagnoses(1000)):  # noqa: ASYNC110  a script
                await asyncio.sleep(0.1)
    except TimeoutError:
        return "no quiet before it, or no verdict after it, in time"
    finally:
        await enterprise.heal()
    entry = kept[-1]
    if (entry.status, entry.cause) != (VerdictStatus.CAUSE_FOUND, FAULTS[name].cause_node):
        return f"{entry.status}: {entry.cause}, not {FAULTS[name].cause_node}"
    (target / f"{name}{SUFFIX}").write_bytes(await app.wired.capsules.export(entry.id))
    return ""


def _all_up(sla: SlaComponent) -> bool:
    return all(state.current.value == "up" for state in sla.states())


def main() -> int:
    """Record; the exit status says whether everything was recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", help="names of faults; without any, those that are kept")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    if options.faults == ["list"]:
        print("\n".join(FAULTS))
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    return 1 if asyncio.run(record(options.faults or list(RECORDED), options.folder)) else 0


if __name__ == "__main__":
    sys.exit(main())

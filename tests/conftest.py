"""What all tests share: hypothesis without deadlines, and kernels that are compiled before the first test's time runs."""

import asyncio
import fcntl
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from btimd.runtime.log import Log

COMPILED: Final = frozenset({"api", "bench", "capture", "cli", "daemon", "flows", "kernels", "stories"})
"""The folders of tests that run kernels."""

LONG: Final = ("stories", "cli", "daemon", "itsm", "bench", "probes", "flows")
"""The folders of tests that start daemons and real servers or show days of traffic."""

settings.register_profile("btimd", deadline=None)  # the first example may wait for a compiler
settings.load_profile("btimd")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, begin with the longest files: none is left over to one of them."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return LONG.index(folder) if folder in LONG else len(LONG)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile, where any test needs it and the cache lacks it; one process does, others of the same run wait for it."""
    here = Path(__file__).parent
    folders = {item.path.relative_to(here).parts[0] for item in session.items if item.path.is_relative_to(here)}
    if session.config.option.collectonly or not folders & COMPILED:
        return
    import numba  # here, as most tests start without it

    from btimd.daemon import compile as ahead
    from btimd.kernels._jit import all_cached

    if all_cached():
        return
    folder = Path(getattr(numba.config, "CACHE_DIR"))  # noqa: B009  numba makes its settings at run time
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ahead, "_LIMIT_SECONDS", 3600.0)  # what is not compiled now, every process would compile
            asyncio.run(ahead.compile_missing(Log("tests")))

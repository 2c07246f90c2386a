"""The life of the whole daemon: start, run, stop, and what it tells systemd on the way."""

import asyncio
import gc
import socket
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from btimd.daemon.addresses import read_addresses
from btimd.daemon.app import App, StartFailedError, keep_out_of_collections, run_app
from btimd.daemon.config import load_config
from btimd.daemon.statedirectory import StateDirectoryError
from btimd.lab.config import write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.model.sla import Availability
from btimd.runtime.lifecycle import HealthLevel
from tests.daemon.small import (
    listener,
    running,
    services_text,
    settings_text,
    taken_tcp_port,
    taken_udp_port,
    until,
    write_small,
)


@pytest.fixture
def systemd(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listen as systemd does, and want a sign of life every 60 ms."""
    path = tmp_path_factory.mktemp("systemd") / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        yield listening


def told(listening: socket.socket) -> list[str]:
    """Return the messages that have come by now."""
    messages = []
    while True:
        try:
            messages.append(listening.recv(4096).decode())
        except BlockingIOError:
            return messages


async def accepts(address: tuple[str, int]) -> bool:
    """Tell whether somebody listens there."""
    try:
        _, writer = await asyncio.open_connection(*address)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def threads_and_files() -> tuple[set[str], int]:
    """Return the names of btimd's own threads, and how many files are open."""

    names = {thread.name for thread in threading.enumerate()}
    return {name for name in names if name.startswith(("capture-", "flow-", "journal", "store-"))}, len(
        list(Path("/proc/self/fd").iterdir())
    )


@pytest.mark.slow
async def test_it_starts_watches_the_laboratory_and_stops_twice_without_a_trace(tmp_path: Path) -> None:
    async with Enterprise() as enterprise:
        write_configuration(tmp_path, enterprise)
        app = App(load_config(tmp_path))
        await app.start()
        work = asyncio.create_task(app.run())
        await until(lambda: all(state.current is Availability.UP for state in app.wired.sla.states()))
        addresses = read_addresses(tmp_path / "state")
        health = app.wired.health()

        assert addresses == app.addresses
        assert addresses is not None
        assert await accepts(addresses.grpc)
        assert await accepts(addresses.http)
        # the one thing this machine may not give is net.core.rmem_max
        assert {name for name, one in health.items() if one.level is not HealthLevel.OK} <= {
            "capture.netflow",
            "probes",
        }
        assert {one.level for one in health.values()} <= {HealthLevel.OK, HealthLevel.WARNING}

        app.request_stop()
        await work
        await app.stop()
        await app.stop()

    assert not await accepts(addresses.grpc)
    assert not await accepts(addresses.http)
    assert read_addresses(tmp_path / "state") is None
    assert threads_and_files()[0] == set()


@pytest.mark.slow
async def test_it_starts_again_where_it_was_stopped_and_leaks_nothing(tmp_path: Path) -> None:
    async with listener() as port:
        write_small(tmp_path, services=services_text(port))
        before = 0
        for _ in range(3):
            async with running(tmp_path) as app:
                await until(lambda app=app: app.wired.sla.states()[0].current is Availability.UP)  # type: ignore[misc]  # bound now
                assert all(one.level is HealthLevel.OK for one in app.wired.health().values())
            threads, files = threads_and_files()
            assert threads == set()
            assert before in {0, files}
            before = files


@pytest.mark.slow
@pytest.mark.parametrize("what", ["capture", "grpc", "http"])
async def test_a_port_that_is_taken_stops_what_had_started_and_is_named(tmp_path: Path, what: str) -> None:
    with taken_udp_port() if what == "capture" else taken_tcp_port() as taken:
        port = taken.getsockname()[1]
        write_small(tmp_path, settings=settings_text(**{what: f"127.0.0.1:{port}"}))
        app = App(load_config(tmp_path))
        with pytest.raises(StartFailedError) as failed:
            await app.start()

    component = {"capture": "capture.netflow", "grpc": "api", "http": "api"}[what]
    assert str(failed.value).startswith(f"{component} cannot start: ")
    assert str(port) in str(failed.value)
    assert threads_and_files()[0] == set()
    assert read_addresses(tmp_path / "state") is None
    async with running(write_small(tmp_path)) as again:  # nothing is held any more, the state directory neither
        assert await accepts(again.addresses.grpc)


async def test_two_cannot_work_in_one_state_directory_and_the_first_is_not_disturbed(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        second = App(load_config(tmp_path))
        with pytest.raises(StateDirectoryError, match="another btimd works in it"):
            await second.start()
        await second.stop()

        assert read_addresses(tmp_path / "state") == app.addresses
        assert await accepts(app.addresses.grpc)


async def test_a_state_directory_changed_just_before_the_stop_counts_from_the_next_start(tmp_path: Path) -> None:
    async with running(write_small(tmp_path)) as app:
        write_small(tmp_path, settings=settings_text().replace('"state"', '"other"'))
        assert await app.reload()
    assert read_addresses(tmp_path / "state") is None
    assert not (tmp_path / "other").exists()


async def test_systemd_is_told_ready_when_everything_listens_and_not_before(
    tmp_path: Path, systemd: socket.socket
) -> None:
    app = App(load_config(write_small(tmp_path)))
    in_time: list[list[str]] = []
    bind = app.wired.capture.start

    async def bind_last() -> None:
        in_time.append(told(systemd))
        await bind()
        in_time.append(told(systemd))

    app.wired.capture.start = bind_last  # type: ignore[method-assign]  # the last one to start
    await app.start()
    work = asyncio.create_task(app.run())
    ready = told(systemd)
    assert await accepts(app.addresses.grpc)
    assert in_time == [["STATUS=loading kernels; the first start of a version compiles them, up to a minute"], []]
    assert ready == ["READY=1\nSTATUS=watching 1 businesses"]

    await app.reload()
    reloading, again = told(systemd)
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert again == "READY=1\nSTATUS=watching 1 businesses"

    app.request_stop()
    await work
    await app.stop()
    await app.stop()
    assert told(systemd) == ["STOPPING=1"]


async def test_a_start_that_fails_is_never_ready(tmp_path: Path, systemd: socket.socket) -> None:
    with taken_udp_port() as taken:
        port = taken.getsockname()[1]
        app = App(load_config(write_small(tmp_path, settings=settings_text(capture=f"127.0.0.1:{port}"))))
        with pytest.raises(StartFailedError):
            await app.start()

    assert [message for message in told(systemd) if not message.startswith("STATUS=")] == ["STOPPING=1"]


async def test_a_reload_asked_for_during_the_start_is_done_after_it(tmp_path: Path, systemd: socket.socket) -> None:
    app = App(load_config(write_small(tmp_path)))
    app.request_reload()
    app.request_reload()
    await app.start()
    assert told(systemd)[-1] == "READY=1\nSTATUS=watching 1 businesses"
    work = asyncio.create_task(app.run())
    await until(lambda: app.config.generation == 2)
    app.request_stop()
    await work
    await app.stop()

    assert [message.partition("=")[0] for message in told(systemd)] == ["RELOADING", "READY", "STOPPING"]


@pytest.mark.slow
async def test_the_watchdog_is_fed_while_the_threads_advance(
    tmp_path: Path, systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    async with running(write_small(tmp_path)) as app:
        fed = []

        def is_fed() -> bool:
            fed.extend(told(systemd))
            return "WATCHDOG=1" in fed

        await until(is_fed)
        app.wired.capture.receivers[0].stop(5.0)  # the thread ends: its progress stands still
        await until(lambda: app.clock.monotonic() - app.wired.capture.progress_at > 1.3)
        told(systemd)
        await until(lambda: app.clock.monotonic() - app.wired.capture.progress_at > 1.9)

        assert "WATCHDOG=1" not in told(systemd)


async def test_what_fails_for_good_ends_the_run_and_everything_stops(tmp_path: Path) -> None:
    app = App(load_config(write_small(tmp_path)))
    await app.start()
    work = asyncio.create_task(app.run())
    await until(lambda: app.wired.metrics.value("btimd_store_journal_commits_total") > 0)
    journal = app.wired.journal
    journal.journal._failure = OSError("the disk is full")
    journal._on_failure()
    with pytest.raises(ExceptionGroup) as ended:
        await work
    await app.stop()

    assert "journal.sqlite failed: the disk is full" in str(ended.value.exceptions[0])
    assert threads_and_files()[0] == set()


@pytest.mark.slow
async def test_run_app_starts_runs_and_stops(tmp_path: Path) -> None:
    apps: list[App] = []
    work = asyncio.create_task(run_app(load_config(write_small(tmp_path)), install_signals=apps.append))
    await until(lambda: read_addresses(tmp_path / "state") is not None)
    apps[0].request_stop()
    await work

    assert read_addresses(tmp_path / "state") is None


def test_what_is_there_is_left_out_of_collections_and_what_went_out_of_use_is_not_kept() -> None:
    class Circle:
        def __init__(self) -> None:
            self.itself = self

    first = Circle()
    gone = weakref.ref(first)
    keep_out_of_collections()
    try:
        frozen = gc.get_freeze_count()
        del first
        keep_out_of_collections()
        assert (frozen > 0, gone()) == (True, None)
    finally:
        gc.unfreeze()

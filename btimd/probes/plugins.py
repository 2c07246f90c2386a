"""Runs monitoring plugins: other people's programs, so each one bounded in all it may take and gone at its deadline.

A plugin gets its arguments as a list, an environment of its own, no input, and limits that the kernel keeps (prlimit,
nice, of util-linux and coreutils). It leads a process group that is killed when it ends or its time does; what left
the group is found by a mark in its environment.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.units import Seconds
from btimd.probes.kinds_others import PluginErrand
from btimd.probes.limits import cannot_say
from btimd.probes.settings import PluginSettings
from btimd.probes.wire.dialogue import Outcome, printable
from btimd.probes.wire.perfdata import decode_output
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

_OK, _WARNING, _CRITICAL, _UNKNOWN = range(4)
_MARK: Final = "BTIMD_PLUGIN_RUN"
_TERMINATE_SECONDS: Final = 0.2
_LAST_WORDS_SECONDS: Final = 0.1
_THROWN_AWAY_TIMES: Final = 16
_CHUNK: Final = 16 * 1024
_STDERR_BYTES: Final = 4096
_SWEEPS: Final = 10
_SWEEP_PAUSE_SECONDS: Final = 0.005
_LAST_OF_ERRORS: Final = 160
_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/",
})  # fmt: skip


class _TooMuchError(Exception):
    """A plugin writes without end."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a plugin ended. status: its exit status, negative: the signal that ended it, None: it was killed here."""

    status: int | None
    output: bytes
    errors: bytes
    reason: str = ""


class Plugins:
    """Runs PluginErrands (errands.Runner). Without directories in its settings it runs nothing."""

    def __init__(self, settings: PluginSettings, *, metrics: Metrics, log: Log) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.concurrent)
        self._log = log
        self._killed = metrics.counter("btimd_probes_plugins_killed_total", "Plugins killed for their time or output")
        self._refused = metrics.counter("btimd_probes_plugins_refused_total", "Plugins that may not be run")
        self._strays = metrics.counter("btimd_probes_plugins_strays_total", "Processes killed that outlived a plugin")

    def swap(self, settings: PluginSettings) -> None:
        """Hold to other limits from the next plugin on."""
        if settings.concurrent != self._settings.concurrent:
            self._slots = asyncio.Semaphore(settings.concurrent)
        self._settings = settings

    async def run(self, errand: PluginErrand, within_seconds: Seconds) -> Outcome:
        """Run a plugin; return what it says, in time."""
        deadline = asyncio.get_running_loop().time() + within_seconds
        try:
            path = self._permitted(errand.program)
            limited = self._limited()
        except ValueError as error:
            self._refused.inc()
            return cannot_say(str(error))
        try:
            async with asyncio.timeout_at(deadline - _TERMINATE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            text = f"{errand.program} was not begun: {self._settings.concurrent} plugins are running"
            return cannot_say(f"{text} (probes.plugins.concurrent)", ErrorClass.OVER_BUDGET)
        slots = self._slots
        try:
            ended = await self._carry_out([*limited, str(path), *errand.arguments], errand, deadline)
        finally:
            slots.release()
        return outcome_of(errand, ended, self._settings.output_bytes, within_seconds)

    def _permitted(self, program: str) -> Path:
        """Return the file of a program; raises ValueError that says why it may not be run."""
        folders = [Path(os.path.realpath(folder)) for folder in self._settings.directories]
        if not folders:
            raise ValueError(
                f"{program} is not run: plugins are switched off; name their folders in [probes.plugins] directories"
            )
        named = [Path(program)] if program.startswith("/") else [folder / program for folder in folders]
        for one in named:
            path = Path(os.path.realpath(one))
            if not any(path.is_relative_to(folder) for folder in folders):
                raise ValueError(f"{program} is not run: {path} is outside of [probes.plugins] directories")
            with contextlib.suppress(OSError):
                mode = path.stat().st_mode
                if not stat.S_ISREG(mode):
                    continue
                if mode & stat.S_IWOTH or path.parent.stat().st_mode & stat.S_IWOTH:
                    raise ValueError(f"{program} is not run: everybody may write to {path} or its folder; chmod o-w")
                if not mode & 0o111:
                    raise ValueError(f"{program} is not run: {path} is not executable; chmod +x")
                return path
        raise ValueError(f"{program} is not in {', '.join(map(str, folders))}; install it or correct command")

    def _limited(self) -> list[str]:
        """Return the command that sets the limits and becomes what follows."""
        missing = [name for name in ("prlimit", "nice") if shutil.which(name) is None]
        if missing:
            raise ValueError(f"plugins are not run without {missing[0]}; install util-linux and coreutils")
        limits = self._settings
        return [
            *(["nice", "-n", str(limits.nice)] if limits.nice else []),
            "prlimit",
            f"--as={limits.memory_bytes}",
            f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}",
            f"--nofile={limits.open_files}",
            f"--nproc={limits.processes}",
            "--core=0",
            f"--fsize={limits.memory_bytes}",
            "--",
        ]

    async def _carry_out(self, command: list[str], errand: PluginErrand, deadline: float) -> _Ended:
        mark = secrets.token_hex(16)
        user = self._settings.user if self._settings.user and os.geteuid() == 0 else None
        environment = {**_ENVIRONMENT, _MARK: mark}
        memory = -1
        if errand.secret_name:
            environment[errand.secret_name] = errand.secret
            memory = _in_memory(errand.secret)
            command = [word.replace("$SECRET_FILE$", f"/proc/self/fd/{memory}") for word in command]
        async with _pipe() as (output, output_end), _pipe() as (errors, errors_end):
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=subprocess.DEVNULL,
                    stdout=output_end,
                    stderr=errors_end,
                    cwd="/",
                    env=environment,
                    start_new_session=True,
                    pass_fds=() if memory < 0 else (memory,),
                    user=user,
                    group=None if user is None else _group_of(user),
                    extra_groups=None if user is None else [],
                )
            except (OSError, ValueError, KeyError) as error:
                return _Ended(None, b"", b"", f"cannot be started: {error}")
            finally:
                for one in (output_end, errors_end, *(() if memory < 0 else (memory,))):
                    os.close(one)
            try:
                return await self._follow(process, output, errors, deadline)
            finally:
                # Whatever happened, nothing of it stays: the group at once, strays by their mark.
                _kill_group(process.pid, signal.SIGKILL)
                sweep = asyncio.get_running_loop().run_in_executor(None, self._sweep, mark)
                await asyncio.wait([sweep], timeout=_TERMINATE_SECONDS)

    async def _follow(
        self,
        process: asyncio.subprocess.Process,
        output_stream: asyncio.StreamReader,
        errors_stream: asyncio.StreamReader,
        deadline: float,
    ) -> _Ended:
        """Take what a plugin writes until it ends, its time does, or it writes too much."""
        output, errors = bytearray(), bytearray()
        readers = [
            asyncio.ensure_future(_take(output_stream, output, self._settings.output_bytes)),
            asyncio.ensure_future(_take(errors_stream, errors, _STDERR_BYTES)),
        ]
        ended = asyncio.ensure_future(process.wait())
        reason = ""
        try:
            async with asyncio.timeout_at(deadline - _TERMINATE_SECONDS):
                reading = set(readers)
                while not ended.done():
                    done, _ = await asyncio.wait({ended, *reading}, return_when=asyncio.FIRST_COMPLETED)
                    for one in done & reading:
                        one.result()
                    reading -= done
            await asyncio.wait(readers, timeout=_LAST_WORDS_SECONDS)
        except TimeoutError:
            reason = "did not end in time and was killed"
        except _TooMuchError:
            reason = "wrote without end and was killed"
        finally:
            for one in readers:
                one.cancel()
            if reason:
                self._killed.inc()
                _kill_group(process.pid, signal.SIGTERM)
                await asyncio.wait([ended], timeout=_TERMINATE_SECONDS)
            _kill_group(process.pid, signal.SIGKILL)
            await asyncio.gather(*readers, return_exceptions=True)
        return _Ended(None if reason else process.returncode, bytes(output), bytes(errors), reason)

    def _sweep(self, mark: str) -> None:
        """Kill what left the plugin's group, until nothing of it is there."""
        seen: set[int] = set()
        for _ in range(_SWEEPS):
            strays = set(_marked(f"{_MARK}={mark}".encode()))
            if not strays:
                break
            seen |= strays
            for pid in strays:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_SWEEP_PAUSE_SECONDS)  # they end when the kernel comes to it
        self._strays.inc(len(seen))


def outcome_of(  # noqa: PLR0911  one way to end per return
    errand: PluginErrand, ended: _Ended, kept: int, within_seconds: Seconds
) -> Outcome:
    """Return what an ended plugin says of its target."""
    name = Path(errand.program).name
    if ended.status is None:
        if errand.slow_is_bad and ended.reason.startswith("did not end"):
            return Outcome(Health.BAD, ErrorClass.TIMEOUT, printable(f"{name} did not end in {within_seconds:g} s"))
        return cannot_say(f"{name} {ended.reason}, after {within_seconds:g} s at most; give it a time limit of its own")
    said = decode_output(ended.output[:kept])
    errors = printable(" ".join(ended.errors.decode("utf-8", "replace").split())[-_LAST_OF_ERRORS:])
    if ended.status < 0:
        return cannot_say(f"{name} was ended by {_signal_name(-ended.status)}: {said.text or errors or 'said nothing'}")
    if ended.status > _UNKNOWN:
        return cannot_say(f"{name} ended with status {ended.status}: {said.text or errors or 'said nothing'}")
    if ended.status != _OK and not said.text:
        # An interpreter that fails ends with 1 or 2 and says so on standard error: that is no word of a plugin.
        return cannot_say(f"{name} ended with status {ended.status} and said nothing: {errors or 'no error either'}")
    text = printable(f"{name}: {said.text or 'said nothing'}" + (f" / {said.more}" if said.more else ""))
    values = MappingProxyType({**said.values, "exit_status": float(ended.status)})
    if ended.status == _CRITICAL or (ended.status == _WARNING and errand.warning_is_bad):
        return Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, text, values)
    if ended.status == _UNKNOWN:
        return Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, text, values)
    return Outcome(Health.GOOD, ErrorClass.NONE, text, values)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Yield the reading end of a pipe as a stream, and the descriptor of the other, which the caller closes.

    Those that asyncio makes itself hold the end of a process back until all who inherited them have closed.
    """
    reading, writing = os.pipe()
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", 0)
    )
    try:
        yield stream, writing
    finally:
        transport.close()


async def _take(stream: asyncio.StreamReader, kept: bytearray, most: int) -> None:
    """Keep the first octets of a stream and throw the rest away; raises _TooMuchError where it does not end."""
    octets = 0
    while data := await stream.read(_CHUNK):
        octets += len(data)
        kept += data[: most - len(kept)]
        if octets > most * _THROWN_AWAY_TIMES:
            raise _TooMuchError


def _in_memory(secret: str) -> int:
    """Return the descriptor of a file that is in memory only and holds a secret."""
    memory = os.memfd_create("secret", 0)
    os.write(memory, secret.encode() + b"\n")
    os.lseek(memory, 0, os.SEEK_SET)
    return memory


def _group_of(user: str) -> int:
    from pwd import getpwnam  # late: only where plugins run as somebody else

    return getpwnam(user).pw_gid


def _kill_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, number)


def _marked(mark: bytes) -> Iterator[int]:
    """Yield the processes whose environment holds a mark."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes():
                    yield int(process.name)

"""What a bench needs of the machine: what it is, processes with their CPU time, and what a UDP socket lost."""

import atexit
import ctypes
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
RECEIVER_CORE, SENDER_CORE = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Return what this runs on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return (
        f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def version_of(command: str) -> str:
    """Return the version that a tool gives for itself; empty where it is not installed."""
    if shutil.which(command) is None:
        return ""
    done = subprocess.run([command, "-V"], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).split()
    return next((word.strip(",") for word in words if word[:1].isdigit()), "?")


def load() -> float:
    """Return how many others want the processor: the load average of the last minute."""
    return os.getloadavg()[0]


def adopt_orphans() -> None:
    """Let processes whose parent ends become ours, so that their CPU time is counted: nfacctd's plugins and writers."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process and its children took."""

    cpu_seconds: float
    wall_seconds: float
    peak_megabytes: float


def run_measured(command: Sequence[str | Path], *, stdout: Path | None = None, zone: str | None = None) -> Spent:
    """Run to the end and return what it took; ends the bench when the command fails."""
    before, began = _children_seconds(), time.monotonic()
    with (stdout or Path(os.devnull)).open("wb") as out, tempfile.TemporaryFile() as errors:
        started = subprocess.Popen(command, stdout=out, stderr=errors, env=_environment(zone))
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode != 0:
            errors.seek(0)
            text = errors.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} ended with {started.returncode}:\n{text}")
    wall = time.monotonic() - began
    reap_orphans()
    return Spent(_children_seconds() - before, wall, usage.ru_maxrss * 1024 / 1e6)


def _environment(zone: str | None) -> dict[str, str]:
    """Return ours, but Python may keep compiled modules, as an installed program does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept if zone is None else kept | {"TZ": zone}


def reap_orphans() -> None:
    """Wait for adopted processes that are still at work."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Pinned:
    """A receiver on its core, with the CPU time of it and its children."""

    def __init__(self, command: Sequence[str | Path], log: Path, *, zone: str | None = None) -> None:
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(RECEIVER_CORE), *map(str, command)],
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=_environment(zone),
            )  # fmt: skip
        atexit.register(self._kill)

    def _kill(self) -> None:
        """End what a bench that failed left running."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it said."""
        return self._log.read_text(errors="replace")

    def cpu_seconds(self) -> float:
        """Return the CPU time so far, of it and of those of its children that live."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(_cpu_seconds_of, [str(pid), *children]))

    def peak_megabytes(self) -> float:
        """Return the most memory that was resident."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30.0) -> None:
        """Ask it to end and wait."""
        self._process.send_signal(number)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise SystemExit(f"{self._process.args!r} did not end:\n{self.log[-2000:]}") from None


def _cpu_seconds_of(pid: str) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass(frozen=True, slots=True)
class UdpSocket:
    """What the kernel says of a UDP socket: octets waiting, datagrams dropped because there was no room."""

    waiting: int
    dropped: int


def udp_socket(port: int) -> UdpSocket | None:
    """Return the sum over the sockets of a port; None where nobody listens."""
    found = [
        line.split()
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}")
    ]
    if not found:
        return None
    return UdpSocket(sum(int(row[4].split(":")[1], 16) for row in found), sum(int(row[-1]) for row in found))


def free_port() -> int:
    """Return a UDP port that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float, what: str, *, every: float = 0.02) -> float:
    """Return after how many seconds the condition held; ends the bench when it never does."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"waited {seconds:g} s for {what}")
        time.sleep(every)
    return time.monotonic() - began

"""Dissecting a capture file with tshark, through pyshark, in a child process that can do little and soon ends.

What comes over the network is hostile, and a dissector of hundreds of protocols is where that tells. So the file is
copied into a folder of its own, and a child works on it: without privileges and environment, with bounds on time,
memory and files, names never looked up, plugins and personal settings out of reach. What it answers is checked.
"""

import asyncio
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import btimd
from btimd.capture.dissected import DISPLAY_FILTER, MOST_OBSERVATIONS, PROTOCOLS, Layer, Tally
from btimd.capture.wire.pcapng import outline
from btimd.model.evidence import Finding, Observation

_NOBODY: Final = 65534
_MOST_ANSWER_OCTETS: Final = 64 * 1024
_VALUE: Final = re.compile(r"[A-Za-z0-9_ ()/-]{0,60}")
_SERVER: Final = re.compile(r"[0-9a-f.:\[\]]{3,50}")
_PROTOCOL: Final = re.compile(r"[a-z0-9_.-]{1,30}")
_FOLDERS: Final = "/usr/bin:/usr/local/bin:/usr/sbin:/usr/local/sbin:/bin"
_MOST_COUNT: Final = 1 << 40
_CLOSE_SECONDS: Final = 2.0
_USEFUL_SHARE: Final = 0.8
_SET_NO_NEW_PRIVILEGES, _CLEAR_AMBIENT = (38, 1), (47, 4)  # prctl, <linux/prctl.h>
_CAPABILITY_VERSION: Final = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_PREFERENCES: Final = {  # a body that was cut off, or is packed, keeps nobody from reading its head
    "http.desegment_body": "FALSE",
    "http.dechunk_body": "FALSE",
    "http.decompress_body": "FALSE",
}

MISSING: Final = "tshark is not installed, so the packets were not dissected; install it (Debian: apt install tshark)"


@dataclass(frozen=True, slots=True)
class DissectLimits:
    """Bounds of one dissection.

    seconds: of wall time; when most of it is over, what was found is told and the rest left. cpu_seconds,
    memory_octets: of each process. file_octets: larger captures are not dissected. packets: packets that say
    something; after so many it ends. tshark: its path; "" = where programs usually are.
    """

    seconds: float = 60.0
    cpu_seconds: int = 20
    memory_octets: int = 1 << 30
    file_octets: int = 64 << 20
    packets: int = 4_000
    tshark: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose packets they are. decode_as: protocols by port, in tshark's words; ports: other ports of its servers."""

    business: str
    decode_as: Mapping[int, str] = field(default_factory=dict)
    ports: frozenset[int] = frozenset()


def find_tshark(wanted: str = "") -> str | None:
    """Return the path of tshark, None without one."""
    return shutil.which(wanted or "tshark", path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")


async def dissect(path: Path, subject: Subject, limits: DissectLimits | None = None) -> Finding:
    """Return what a capture file says; what goes wrong is said in the finding, nothing is raised but cancellation.

    path: a file that evidence.as_pcapng made. What else tshark reads will do, but its packets and times are not told.
    The child and all it started are gone when this returns, also when it is cancelled.
    """
    limits = limits or DissectLimits()
    finding = Finding(subject.business, path.name)
    tshark = find_tshark(limits.tshark)
    if tshark is None:
        return replace(finding, problem=MISSING)
    folder: Path | None = None
    try:
        folder = await asyncio.to_thread(_make_folder)
        held = await asyncio.to_thread(_copy, path, folder, limits.file_octets)
        finding = replace(
            finding, packets=held.packets, since=held.first // 1_000_000, until=held.last // 1_000_000
        )  # fmt: skip
        answer, ended = await _run_child(_request(subject, limits, tshark, held.last), folder, limits.seconds)
    except OSError as error:
        return replace(finding, problem=f"cannot dissect {path.name}: {error.strerror or error}")
    finally:
        if folder is not None:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
    return _finding(finding, answer, ended)


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="btimd-dissect-"))
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    return folder


def _copy(path: Path, folder: Path, most: int) -> Any:
    """Put a copy of the file where the child may read it; return its outline; raises OSError."""
    with path.open("rb") as file:
        octets = file.read(most + 1)
    if len(octets) > most:
        raise OSError(0, f"it is larger than {most} octets")
    copy = folder / "capture"
    copy.write_bytes(octets)
    if os.geteuid() == 0:
        os.chown(copy, _NOBODY, _NOBODY)
    return outline(octets)


def _request(subject: Subject, limits: DissectLimits, tshark: str, last: int) -> str:
    return json.dumps(
        {
            "tshark": tshark,
            "decode_as": {str(port): name for port, name in subject.decode_as.items() if _PROTOCOL.fullmatch(name)},
            "ports": sorted({*subject.ports, *subject.decode_as}),
            "until": last / 1e9,
            "packets": limits.packets,
            "end": asyncio.get_running_loop().time() + limits.seconds * _USEFUL_SHARE,  # the machine's monotonic clock
            "cpu_seconds": limits.cpu_seconds,
            "memory_octets": limits.memory_octets,
        }
    )


async def _run_child(request: str, folder: Path, seconds: float) -> tuple[bytes, str]:
    """Return what the child wrote, and why it may be incomplete ("" = it ended by itself)."""
    program = str(Path(btimd.__file__).parents[1])
    where = str(folder)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-s", "-m", "btimd.capture.forensics", request,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        cwd=folder, start_new_session=True,
        env={
            "PATH": _FOLDERS, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": where, "TMPDIR": where, "PYTHONPATH": program,
            "PYTHONDONTWRITEBYTECODE": "1", "XDG_CONFIG_HOME": where, "WIRESHARK_CONFIG_DIR": where,
            "WIRESHARK_PLUGIN_DIR": where, "WIRESHARK_EXTCAP_DIR": where,
        },
    )  # fmt: skip
    ended = ""
    answer = b""
    try:
        async with asyncio.timeout(seconds):
            answer = await _read(child.stdout)
            await child.wait()
    except TimeoutError:
        ended = f"the dissection was stopped after {seconds:g} s"
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # tshark too
        await child.wait()
    if not ended and child.returncode:
        ended = _why(child.returncode, "the dissection")
    return answer, ended


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    octets = b""
    while stream is not None and len(octets) <= _MOST_ANSWER_OCTETS:
        more = await stream.read(_MOST_ANSWER_OCTETS)
        if not more:
            break
        octets += more
    return octets


def _why(status: int, what: str) -> str:
    """Put the end of a process into words."""
    if status == -signal.SIGXCPU:
        return f"{what} was stopped because it took too much processor time"
    if status < 0:
        return f"{what} was ended by signal {-status}"
    return f"{what} failed with status {status}"


def _finding(finding: Finding, answer: bytes, ended: str) -> Finding:
    """Return the finding with what the child says, none of which is believed unchecked."""
    if ended:
        return replace(finding, problem=ended)
    try:
        said = json.loads(answer[:_MOST_ANSWER_OCTETS])
        observations = tuple(_observation(one) for one in said["observations"][:MOST_OBSERVATIONS])
        problem = str(said["problem"])[:200]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return replace(finding, problem="the dissection gave an answer that makes no sense")
    if not finding.packets and not observations and not problem:
        problem = "no packet was recognised in the file"
    return replace(finding, observations=observations, problem="".join(filter(str.isprintable, problem)))


def _observation(said: Any) -> Observation:
    kind, value, server, *numbers = said
    count, of, first_seen = (int(number) for number in numbers)
    if not _VALUE.fullmatch(value) or not _SERVER.fullmatch(server) or not 0 <= max(count, of) <= _MOST_COUNT:
        raise ValueError("not an observation")
    return Observation(kind, value, server, count, of, first_seen)


# From here on: what the child does.


def main(arguments: Sequence[str]) -> int:
    """Dissect the file "capture" in this folder, and print what it says as JSON."""
    request = json.loads(arguments[0])
    import pyshark  # noqa: F401  the child's only: it costs 40 MB; read before there is nothing left to read with

    _give_up_rights(request)
    tally = Tally(frozenset(request["ports"]))
    problem = _tally_file(Path("capture"), request, tally)
    if tally.overflow and not problem:
        problem = f"{tally.overflow} things more were not counted: too many different ones"
    observations = [
        (one.kind, one.value, one.server, one.count, one.of, one.first_seen)
        for one in tally.observations(request["until"] or None)
    ]
    print(json.dumps({"observations": observations, "problem": problem}))  # noqa: T201  that is its answer
    return 0


def _give_up_rights(request: Mapping[str, Any]) -> None:
    """Keep nothing but what reading one file takes, for good; raises OSError."""
    with suppress(OSError):  # a courtesy, which the filter of system calls of a service may forbid
        os.nice(19)
    for kind, most in (
        (resource.RLIMIT_CPU, request["cpu_seconds"]),
        (resource.RLIMIT_AS, request["memory_octets"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        # The soft limit is a signal that tells its reason; at the hard one the kernel kills without a word.
        resource.setrlimit(kind, (most, most + 1 if kind == resource.RLIMIT_CPU else most))
    system = ctypes.CDLL(None, use_errno=True)
    for option, value in (_SET_NO_NEW_PRIVILEGES, _CLEAR_AMBIENT):
        if system.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    # Where the filter of a service forbids this, tshark has no capabilities all the same: ambient ones are gone.
    system.capset((ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())


def _tally_file(path: Path, request: Mapping[str, Any], tally: Tally) -> str:
    """Count what the packets of interest say; return why that is not everything, "" if it is."""
    import pyshark
    from pyshark.tshark import tshark as finder

    class Reader(pyshark.FileCapture):  # type: ignore[misc]  # pyshark has no types
        """Remembers how tshark ended; pyshark kills one that is about to end by itself, and ignores signals."""

        status = 0

        async def _cleanup_subprocess(self, process: Any) -> None:
            if self._eof_reached:
                self.status = await process.wait()
                return
            with suppress(ProcessLookupError):
                process.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await process.stdout.read()  # its end is not noticed while its output waits
                    await process.wait()

    finder.get_config = lambda: None  # neither its own settings, which nobody may read now, nor any in this folder
    loop = asyncio.new_event_loop()
    reader = Reader(
        path, display_filter=DISPLAY_FILTER, keep_packets=False, tshark_path=request["tshark"], eventloop=loop,
        decode_as=_decode_as(request["decode_as"]), override_prefs=_PREFERENCES, encryption_type="wpa-pwd",
        custom_parameters=["-J", PROTOCOLS],
    )  # fmt: skip
    taken = 0
    problem = ""
    try:
        for packet in reader:
            tally.add(float(packet.sniff_timestamp), [_layer(layer) for layer in packet.layers])
            taken += 1
            if taken >= request["packets"] or loop.time() > request["end"]:
                problem = f"only the first {taken} packets that say something were looked at"
                break
    except Exception as error:  # noqa: BLE001  whatever pyshark and its parser raise for what they do not understand
        problem = f"the dissection stopped after {taken} packets: {type(error).__name__}"
    finally:
        loop.run_until_complete(reader.close_async())
        loop.close()
    if reader.status and not problem:
        problem = _why(reader.status, "tshark")
    return problem


def _decode_as(protocols: Mapping[str, str]) -> dict[str, str]:
    found = {f"tcp.port=={port}": name for port, name in protocols.items()}
    return found | {f"udp.port=={port}": name for port, name in protocols.items() if name == "dns"}


def _layer(layer: Any) -> Layer:
    """Return a layer of pyshark's in plain terms."""
    fields = {
        name: [str(one.show) for one in container.all_fields]
        for name, container in layer._all_fields.items()  # noqa: SLF001  its public names lose which field is which
    }
    return Layer(layer.layer_name, fields)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

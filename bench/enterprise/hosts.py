"""Hosts as namespaces: network, processes, mounts and host name of their own, so that an agent sees its host only.

The first process of a host does nothing but reap; when it is killed the kernel ends everything on the host: that is
its power. What a host keeps on disk is a folder of the enterprise's, so it is there when the power comes back.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final, TypeVar

from bench.enterprise.plan import (
    ADDRESS,
    COLLECTOR,
    COLLECTOR_WIRE,
    DISKS,
    HOSTS,
    NETWORK,
    PREFIX,
    ROUTES,
    SWITCHES,
    USERS_PER_BRANCH,
    WIRES,
    ZONE,
    Wire,
)

T = TypeVar("T")

_LOCK: Final = Path(tempfile.gettempdir()) / f"{PREFIX}lock"
_FIRST_PROCESS: Final = """
hostname $0
mount --bind $1/resolv.conf /etc/resolv.conf
mount --bind $1/hosts /etc/hosts
echo on
exec >/dev/null 2>&1
while :; do sleep 3600 & wait $!; done
"""
_SYSCTLS: Final = (
    "net.ipv6.conf.default.disable_ipv6=1", "net.ipv4.conf.default.ignore_routes_with_linkdown=1",
    "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0", "net.ipv4.icmp_ratelimit=0",
    "net.ipv4.ip_forward=1", "net.ipv4.tcp_syn_retries=3", "net.ipv4.tcp_mtu_probing=0",
)  # fmt: skip
_COUNTERS: Final = """
table inet btload {{
  counter all_of_it {{ }}
  counter questions {{ }}
  chain input {{
    type filter hook input priority -300;
    ip saddr {collector} counter name all_of_it
    ip saddr {collector} tcp flags & (syn | ack) == syn counter name questions
    ip saddr {collector} icmp type echo-request counter name questions
    ip saddr {collector} meta l4proto udp counter name questions
  }}
}}
"""


def run(*command: str, check: bool = True, text: str | None = None) -> str:
    """Run a command to its end; raises with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=text)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something; raises TimeoutError that names it."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)


class Host:
    """One machine. `folder` is its disk; processes are found by the namespace they live in, never by name alone."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.namespace = PREFIX + name
        self._power: subprocess.Popen[str] | None = None
        self._first = 0
        self._spawned: list[subprocess.Popen[bytes]] = []

    def power_on(self) -> None:
        """Start the first process."""
        resolv = f"nameserver {ADDRESS['dns1']}\nsearch {ZONE}\noptions timeout:1 attempts:1\n"
        (self.folder / "resolv.conf").write_text(resolv)
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost {self.name}\n")
        self._power = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, "unshare", "--pid", "--mount", "--uts", "--fork", "--kill-child",
             "--mount-proc", "bash", "-c", _FIRST_PROCESS, self.name, str(self.folder)],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        assert self._power.stdout is not None
        if self._power.stdout.readline() != "on\n":
            raise RuntimeError(f"host {self.name} did not start")
        children = Path(f"/proc/{self._power.pid}/task/{self._power.pid}/children").read_text().split()
        self._first = int(children[0])

    def power_off(self) -> None:
        """End everything on the host at once. May be called twice."""
        if self._power is None:
            return
        for process in self._spawned:
            process.kill()  # nsenter stops with a stopped child, and would not reap it
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._first, signal.SIGKILL)
        self._power.wait(10)
        if self._power.stdout is not None:
            self._power.stdout.close()
        for process in self._spawned:
            process.wait(10)
        self._spawned.clear()
        self._power = None

    @property
    def is_on(self) -> bool:
        """Tell whether it has power."""
        return self._power is not None

    def inside(self, *command: str) -> list[str]:
        """Return a command that runs on the host."""
        return ["nsenter", "-t", str(self._first), "-n", "-p", "-m", "-u", "--", *command]

    def run(self, *command: str, check: bool = True, text: str | None = None) -> str:
        """Run a command on the host to its end."""
        return run(*self.inside(*command), check=check, text=text)

    def spawn(self, name: str, *command: str, environment: dict[str, str] | None = None) -> None:
        """Start a server on the host; what it prints goes to NAME.log."""
        self._spawned = [process for process in self._spawned if process.poll() is None]
        log: IO[bytes]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._spawned.append(
                subprocess.Popen(
                    self.inside(*command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                    env=os.environ | (environment or {}),
                )
            )  # fmt: skip

    def processes(self, pattern: str) -> list[int]:
        """Return the ids of the host's processes whose command line or program holds a text; never the first."""
        if not self.is_on:
            return []
        mine = Path(f"/proc/{self._first}/ns/pid").readlink()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self._first:
                continue
            with contextlib.suppress(OSError):
                if (entry / "ns/pid").readlink() == mine:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if pattern in line or pattern in str((entry / "exe").readlink()):
                        found.append(int(entry.name))
        return found

    def signal(self, pattern: str, number: signal.Signals) -> int:
        """Send a signal to those processes; return to how many."""
        found = self.processes(pattern)
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        return len(found)

    def listens(self, port: int, *, udp: bool = False) -> bool:
        """Tell whether somebody listens on a port of the host."""
        return f":{port} " in self.run("ss", "-Hlnu" if udp else "-Hlnt")


class Machines:
    """All hosts and their wires. up and down may be called again; down finds also what a crash left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts = {name: Host(name, folder / name) for name in HOSTS}
        self._lock: IO[str] | None = None

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def up(self) -> None:
        """Build the network and switch every host on; waits while another enterprise stands on this machine."""
        lock = _LOCK.open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._lock = lock
        remove_remains()
        for folder in (self.folder, *(host.folder for host in self.hosts.values())):
            folder.mkdir()
            folder.chmod(0o755)
        everyone(lambda name: run("ip", "netns", "add", PREFIX + name), self.hosts)
        everyone(self._prepare, self.hosts)
        cables = [
            f"link add {wire.port(wire.left)} netns {PREFIX}{wire.left} type veth"
            f" peer name {wire.port(wire.right)} netns {PREFIX}{wire.right}"
            for wire in WIRES
        ]
        cables.append(f"link add {COLLECTOR_WIRE} type veth peer name to-col netns {PREFIX}core")
        run("ip", "-batch", "-", text="\n".join(cables) + "\n")
        everyone(self._address, self.hosts)
        for command in (
            f"address add {COLLECTOR}/24 dev {COLLECTOR_WIRE}",
            f"link set {COLLECTOR_WIRE} up",
            f"route replace {NETWORK} via {ADDRESS['core']}",
        ):
            run("ip", *command.split())
        everyone(self.routes, self.hosts)
        for name, octets in DISKS.items():
            disk = self.hosts[name].folder / "disk"
            disk.mkdir()
            run("mount", "-t", "tmpfs", "-o", f"size={octets}", f"{PREFIX}{name}", str(disk))
        everyone(lambda name: self.hosts[name].power_on(), self.hosts)

    def down(self) -> None:
        """Take everything away; may be called twice."""
        if self._lock is None:  # not up: what stands on this machine is another's
            return
        try:
            for host in self.hosts.values():
                host.power_off()
        finally:
            remove_remains()
            self._lock.close()
            self._lock = None

    def _prepare(self, name: str) -> None:
        inside = ["ip", "netns", "exec", PREFIX + name]
        run(*inside, "sysctl", "-qw", *_SYSCTLS)
        run(*inside, "nft", "-f", "-", text=_COUNTERS.format(collector=COLLECTOR))

    def _address(self, name: str) -> None:
        lines = ["link set lo up"]
        if name in SWITCHES:
            lines += ["link add br0 type bridge", "link set br0 up", f"address add {ADDRESS[name]}/24 dev br0"]
        for wire in (wire for wire in WIRES if name in {wire.left, wire.right}):
            address = wire.left_address if name == wire.left else wire.right_address
            port = wire.port(name)
            lines.append(f"address add {address} dev {port}" if address else f"link set {port} master br0")
            if name in {"north", "south"}:
                base = ADDRESS[name].rsplit(".", 1)[0]
                lines += [f"address add {base}.{11 + user}/24 dev {port}" for user in range(USERS_PER_BRANCH)]
            lines.append(f"link set {port} up")
        if name == "core":
            lines += [f"address add {ADDRESS['core']}/24 dev to-col", "link set to-col up"]
        run("ip", "-n", PREFIX + name, "-batch", "-", text="\n".join(lines) + "\n")

    def routes(self, name: str) -> None:
        """Write the routes of a host, as after an interface came back."""
        lines = "".join(f"route replace {route}\n" for route in ROUTES.get(name, ()))
        run("ip", "-n", PREFIX + name, "-batch", "-", text=lines)

    def cut(self, wire: Wire) -> None:
        """Pull a cable."""
        run("ip", "-n", PREFIX + wire.left, "link", "set", wire.port(wire.left), "down")

    def mend(self, wire: Wire) -> None:
        """Put a cable back."""
        run("ip", "-n", PREFIX + wire.left, "link", "set", wire.port(wire.left), "up")
        self.routes(wire.left)

    def ports(self, name: str, *, up: bool) -> None:
        """Switch all interfaces of a host on or off."""
        own = [wire.port(name) for wire in WIRES if name in {wire.left, wire.right}]
        own += ["to-col"] * (name == "core") + ["br0"] * (name in SWITCHES)
        state = "up" if up else "down"
        run("ip", "-n", PREFIX + name, "-batch", "-", text="".join(f"link set {port} {state}\n" for port in own))
        if up:
            self.routes(name)

    def heard(self) -> dict[str, tuple[int, int]]:
        """Return (packets, probes) that each host got from btimd, counted by the host's own kernel."""
        return everyone(self._heard, self.hosts)

    @staticmethod
    def _heard(name: str) -> tuple[int, int]:
        told = run("ip", "netns", "exec", PREFIX + name, "nft", "list", "counters", "table", "inet", "btload").split()
        packets, probes = (
            int(told[at + 1]) for at, word in enumerate(told) if word == "packets" and told[at + 1].isdigit()
        )
        return packets, probes


def everyone(work: Callable[[str], T], names: Iterable[str]) -> dict[str, T]:
    """Do something for each of many names at once; raises the first failure."""
    names = list(names)
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(names, pool.map(work, names), strict=True))


def remove_remains() -> None:
    """Remove namespaces, their processes, wires and mounts that any enterprise left on this machine."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0] if line.split() else ""
        if name.startswith(PREFIX):
            for process in run("ip", "netns", "pids", name, check=False).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
            run("ip", "netns", "delete", name, check=False)
    run("ip", "link", "delete", COLLECTOR_WIRE, check=False)
    root = Path(tempfile.gettempdir())
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in mounted:
        if point.startswith(f"{root}/{PREFIX}"):
            run("umount", "-l", point, check=False)
    for folder in root.glob(f"{PREFIX}*/"):
        shutil.rmtree(folder, ignore_errors=True)


def new_folder() -> Path:
    """Return where an enterprise of this process may lie. It is made when the enterprise goes up."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}"


def needed_programs() -> Sequence[str]:
    """Return what must be installed, as root."""
    return (
        "ip", "nft", "tc", "nsenter", "unshare", "ss", "iptables-legacy", "nginx", "haproxy", "redis-server", "slapd",
        "slapadd", "dnsmasq", "postfix", "dovecot", "rabbitmq-server", "snmpd",
    )  # fmt: skip

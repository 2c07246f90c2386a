"""Servers to probe: real ones in subprocesses, and small ones in the loop that hang, drip, reset and lie."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from typing_extensions import override

from btimd.probes.wire import amqpframe
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import free_port
from tests.programs import need

POSTGRES_BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql/15/bin"))
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for localhost; return (certificate, key)."""
    crt, key = directory / "server.crt", directory / "server.key"
    subprocess.run(
        [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(crt)],
        check=True, capture_output=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    key.chmod(0o600)
    return crt, key


@contextlib.contextmanager
def nginx(directory: Path) -> Iterator[tuple[int, int]]:
    """Run nginx; yield its (HTTP port, HTTPS port)."""
    program = need("nginx")
    crt, key = certificate(directory)
    port, tls_port = free_port(), free_port()
    (directory / "html").mkdir()
    (directory / "html" / "big.txt").write_text("erp is well\n" * 60_000)
    temporary = "".join(
        f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"""{"user root;" if os.geteuid() == 0 else ""} daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; worker_processes 1; events {{}}
        http {{ access_log off; {temporary} root {directory}/html; ssl_certificate {crt}; ssl_certificate_key {key};
          server {{ listen 127.0.0.1:{port}; listen 127.0.0.1:{tls_port} ssl; server_name erp.example;
            location = /health {{ return 200 "erp is well\\n"; }}
            location = /broken {{ return 500; }}
            location = /moved {{ return 302 /health; }}
            location = /host {{ return 200 $http_host; }}
            location = /chunked {{ ssi on; ssi_types *; alias {directory}/html/big.txt; }}
          }} }}"""
    )
    with running([program, "-p", str(directory), "-c", str(directory / "nginx.conf")]):
        wait_until(lambda: accepts(port) and accepts(tls_port), "nginx")
        yield port, tls_port


@contextlib.contextmanager
def postgres(*, tls: bool = False) -> Iterator[int]:
    """Run PostgreSQL with the trusted user "probe" and the user "locked" that needs a password; yield its port.

    Its files lie outside pytest's directories, which other sessions of the same user close to everybody else.
    """
    with tempfile.TemporaryDirectory(prefix="btimd-test-postgres-", ignore_cleanup_errors=True) as directory:
        yield from _postgres_in(Path(directory), tls=tls)


def _postgres_in(directory: Path, *, tls: bool) -> Iterator[int]:
    initdb = need("initdb", at=POSTGRES_BIN)
    server = need("postgres", at=POSTGRES_BIN)
    account = pwd.getpwnam("postgres")
    as_postgres: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_postgres = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    shutil.chown(directory, account.pw_uid, account.pw_gid)
    data = directory / "data"
    subprocess.run(
        [initdb, "-D", str(data), "-A", "trust", "-U", "probe", "-N", "--no-locale", "-E", "UTF8"],
        check=True, capture_output=True, timeout=PATIENCE_SECONDS, cwd="/", **as_postgres,
    )  # fmt: skip
    kind = "hostssl" if tls else "host"
    (data / "pg_hba.conf").write_text(
        f"{kind} all locked 127.0.0.1/32 scram-sha-256\n{kind} all probe 127.0.0.1/32 trust\n"
        f"{kind} all hashed 127.0.0.1/32 md5\n{kind} all clear 127.0.0.1/32 password\n"
    )
    options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", str(directory)]
    if tls:
        crt, key = certificate(data)
        for path in (crt, key):
            shutil.chown(path, account.pw_uid, account.pw_gid)
        options += ["-c", "ssl=on"]
    port = free_port()
    with running([server, "-D", str(data), "-p", str(port), *options], cwd="/", **as_postgres):
        wait_until(lambda: accepts(port), "PostgreSQL")
        ready = need("pg_isready", at=POSTGRES_BIN)
        wait_until(
            lambda: (
                subprocess.run(
                    [ready, "-h", "127.0.0.1", "-p", str(port), "-q"], check=False, cwd="/", timeout=PATIENCE_SECONDS
                ).returncode
                == 0
            ),
            "PostgreSQL",
        )
        yield port


@contextlib.contextmanager
def mariadb() -> Iterator[tuple[int, str]]:
    """Run MariaDB with TLS and a root without password; yield its port and the path of its socket."""
    install, server = need("mariadb-install-db"), need("mariadbd")
    with tempfile.TemporaryDirectory(prefix="btimd-test-mariadb-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        user = ["--user=mysql"] if os.geteuid() == 0 else []
        if user:
            shutil.chown(directory, "mysql")
        data, path, port = directory / "data", directory / "s", free_port()
        subprocess.run(
            [install, "--no-defaults", *user, f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db"],
            check=True, capture_output=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        crt, key = certificate(directory)
        if user:
            shutil.chown(key, "mysql")
        command = [
            server, "--no-defaults", *user, f"--datadir={data}", f"--socket={path}", "--bind-address=127.0.0.1",
            f"--port={port}", "--skip-name-resolve", f"--pid-file={directory}/pid", f"--ssl-cert={crt}",
            f"--ssl-key={key}", "--innodb-buffer-pool-size=16M",
        ]  # fmt: skip
        with running(command):
            wait_until(lambda: accepts(port), "MariaDB")
            yield port, str(path)


@contextlib.contextmanager
def redis(directory: Path, *options: str) -> Iterator[int]:
    """Run Redis; yield its port."""
    port = free_port()
    command = [need("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with running([*command, "--dir", str(directory), *options]):
        wait_until(lambda: accepts(port), "Redis")
        yield port


@contextlib.contextmanager
def rabbitmq() -> Iterator[int]:
    """Run RabbitMQ with its user guest; yield its port."""
    need("rabbitmq-server")
    server = need("rabbitmq-server", at=Path("/usr/lib/rabbitmq/bin"))
    with tempfile.TemporaryDirectory(prefix="btimd-test-rabbitmq-", ignore_cleanup_errors=True) as name:
        directory, port = Path(name), free_port()
        (directory / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users = none\n")
        (directory / "plugins").write_text("[].")
        environment = {
            **os.environ,
            "HOME": name,
            "HOSTNAME": "localhost",
            "RABBITMQ_NODENAME": f"btimd{port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{name}/rabbitmq",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{name}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{name}/mnesia",
            "RABBITMQ_LOG_BASE": f"{name}/log",
            "RABBITMQ_PID_FILE": f"{name}/pid",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam("rabbitmq")
            account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            shutil.chown(directory, entry.pw_uid, entry.pw_gid)
        with running([server], cwd=name, env=environment, start_new_session=True, **account) as process:
            try:
                wait_until(lambda: accepts(port), "RabbitMQ")
                yield port
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                with contextlib.suppress(ConnectionError, OSError):
                    stop_epmd(int(environment["ERL_EPMD_PORT"]))


def stop_epmd(port: int) -> None:
    """Stop the Erlang port mapper that RabbitMQ leaves behind (its request KILL_REQ)."""
    wait_until(lambda: _epmd_is_dead(port), "the end of epmd")


def _epmd_is_dead(port: int) -> bool:
    with socket.socket() as mapper:
        if mapper.connect_ex(("127.0.0.1", port)):
            return True
        mapper.sendall(b"\0\1k")
        mapper.recv(16)
    return False


async def fill_queue(port: int, name: str, messages: int) -> None:
    """Make a queue in RabbitMQ and put messages into it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(amqpframe.PROTOCOL_HEADER)
    plain = (
        amqpframe.long(b"") + amqpframe.short("PLAIN") + amqpframe.long(b"\0guest\0guest") + amqpframe.short("en_US")
    )
    declare = bytes(2) + amqpframe.short(name) + b"\0" + amqpframe.table({})
    for method, arguments, channel in (
        ((0, 0), b"", 0),
        (amqpframe.START_OK, plain, 0),
        (amqpframe.TUNE_OK, b"\0\x0a\0\2\0\0\0\0", 0),
        (amqpframe.CHANNEL_OPEN, amqpframe.short(""), 1),
        (amqpframe.DECLARE, declare, 1),
    ):
        if method != (0, 0):
            writer.write(amqpframe.frame(channel, method, arguments))
        if method == amqpframe.TUNE_OK:
            writer.write(amqpframe.frame(0, amqpframe.OPEN, amqpframe.short("/") + b"\0\0"))
        head = await reader.readexactly(7)
        await reader.readexactly(int.from_bytes(head[3:]) + 1)
    for _ in range(messages):
        publish = bytes(2) + amqpframe.short("") + amqpframe.short(name) + b"\0"
        writer.write(amqpframe.frame(1, (60, 40), publish))
        header = struct.pack("!HHQH", 60, 0, 1, 0)
        writer.write(struct.pack("!BHI", 2, 1, len(header)) + header + b"\xce")
        writer.write(struct.pack("!BHI", 3, 1, 1) + b"x\xce")
    writer.write(amqpframe.frame(1, amqpframe.DECLARE, declare))  # its answer comes after the messages are there
    head = await reader.readexactly(7)
    await reader.readexactly(int.from_bytes(head[3:]) + 1)
    writer.close()


@contextlib.contextmanager
def tomcat(secret: str) -> Iterator[tuple[int, int]]:
    """Run Tomcat with an AJP connector that wants a secret and /erp/index.txt; yield its (AJP, HTTP) ports."""
    script = need("catalina.sh", at=Path("/usr/share/tomcat10/bin"))
    with tempfile.TemporaryDirectory(prefix="btimd-test-tomcat-", ignore_cleanup_errors=True) as name:
        directory, port, http_port = Path(name), free_port(), free_port()
        for part in ("conf", "logs", "temp", "webapps/erp", "work"):
            (directory / part).mkdir(parents=True)
        (directory / "webapps" / "erp" / "index.txt").write_text("erp is well\n")
        shutil.copy("/etc/tomcat10/web.xml", directory / "conf")
        (directory / "conf" / "server.xml").write_text(
            f"""<Server port="-1"><Service name="Catalina">
            <Connector protocol="AJP/1.3" address="127.0.0.1" port="{port}" secret="{secret}"/>
            <Connector protocol="HTTP/1.1" address="127.0.0.1" port="{http_port}"/>
            <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
            </Service></Server>"""
        )
        environment = {
            **os.environ,
            "CATALINA_HOME": "/usr/share/tomcat10",
            "CATALINA_BASE": name,
            "CATALINA_TMPDIR": f"{name}/temp",
            "JAVA_OPTS": "-Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.security.egd=file:/dev/urandom",
        }
        with running([script, "run"], cwd=name, env=environment, start_new_session=True):
            wait_until(lambda: accepts(port) and accepts(http_port), "Tomcat")
            yield port, http_port


@contextlib.contextmanager
def dnsmasq(directory: Path) -> Iterator[int]:
    """Run dnsmasq; yield its port. erp.example is 127.0.0.1, v6.example ::1, many.example has 199 addresses."""
    program = need("dnsmasq")
    port = free_port()
    many = "".join(f"127.0.1.{number} many.example\n" for number in range(1, 200))
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 erp.example\n::1 v6.example\n{many}")
    command = [
        program, "-k", "--no-resolv", "--no-hosts", f"--addn-hosts={hosts}", "--listen-address=127.0.0.1",
        "--bind-interfaces", f"--port={port}", "--local=/example/", "--conf-file=/dev/null",
        f"--pid-file={directory}/pid", "--user=root", "--txt-record=erp.example,hello world",
        "--cname=www.example,erp.example", "--mx-host=erp.example,mail.example,10",
    ]  # fmt: skip
    with running(command):
        wait_until(lambda: accepts(port), "dnsmasq")
        yield port


@contextlib.asynccontextmanager
async def tcp_server(handler: Handler) -> AsyncIterator[int]:
    """Serve on loopback in this loop; yield the port. Connections are broken off at the end."""
    writers: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.append(_current_task())
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def _current_task() -> asyncio.Task[None]:
    task: asyncio.Task[None] | None = asyncio.current_task()
    assert task is not None
    return task


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read everything and never answer."""
    while await reader.read(4096):
        pass


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the request and close in good order."""
    await reader.read(4096)
    writer.close()
    await writer.wait_closed()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the request and break the connection off with a RST."""
    await reader.read(4096)
    opened = writer.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def saying(*pieces: bytes, then_close: bool = True) -> Handler:
    """Return a handler that answers the first request with these pieces."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if then_close:
            writer.close()
            await writer.wait_closed()
        else:
            await silent(reader, writer)

    return handler


class UdpServer(asyncio.DatagramProtocol):
    """Answers every datagram with what `reply` makes of it; None is silence."""

    def __init__(self, reply: Callable[[bytes], bytes | None]) -> None:
        self._reply = reply
        self._transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = self._reply(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def udp_server(reply: Callable[[bytes], bytes | None]) -> AsyncIterator[int]:
    """Serve datagrams on loopback in this loop; yield the port."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: UdpServer(reply), local_addr=("127.0.0.1", 0)
    )
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()

"""Real servers of the time-series world, each on free ports of loopback, always torn down."""

import http.client
import json
import subprocess
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest
from typing_extensions import override

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.programs import need


class Server:
    """A process that listens on `port`; start and kill may alternate, the data stay."""

    program = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.path = need(self.program)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready_path(self) -> str:
        return "/ping"

    def start(self) -> Self:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                self.ask("GET", self.ready_path())
            except OSError:
                time.sleep(0.02)
            else:
                return self
        self.kill()
        pytest.fail(f"{self.program} did not get ready: {(self.folder / 'log').read_text()[-2000:]}")

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self) -> None:
        """End it the polite way; needed where a master process has workers."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()


class Influxd(Server):
    """InfluxDB 1.x."""

    program = "influxd"

    @override
    def command(self) -> list[str]:
        config = self.folder / "influxdb.conf"
        if not config.exists():
            config.write_text(f"""
reporting-enabled = false
bind-address = "127.0.0.1:{free_port()}"
[meta]
  dir = "{self.folder}/meta"
[data]
  dir = "{self.folder}/data"
  wal-dir = "{self.folder}/wal"
[http]
  bind-address = "127.0.0.1:{self.port}"
""")
        return [self.path, "run", "-config", str(config)]

    def query(self, text: str, database: str = "") -> list[dict[str, Any]]:
        """Return the series of an InfluxQL answer, times in milliseconds."""
        answer = json.loads(self.ask("POST", f"/query?{urlencode({'q': text, 'db': database, 'epoch': 'ms'})}"))
        assert "error" not in answer["results"][0], answer
        found: list[dict[str, Any]] = answer["results"][0].get("series", [])
        return found


class VictoriaMetrics(Server):
    """VictoriaMetrics: takes the write path of the 2.x API, does not know Flux."""

    program = "victoria-metrics"

    @override
    def command(self) -> list[str]:
        return [self.path, f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={self.folder}/data",
                "-retentionPeriod=10y", "-search.latencyOffset=0s", "-search.disableCache"]  # fmt: skip

    @override
    def ready_path(self) -> str:
        return "/health"

    def export(self, match: str) -> list[dict[str, Any]]:
        """Return every stored sample of the series that match."""
        self.ask("GET", "/internal/force_flush")
        lines = self.ask("GET", f"/api/v1/export?{urlencode({'match[]': match})}").splitlines()
        return [json.loads(line) for line in lines]


class Influx2Shim(Server):
    """nginx that makes the 2.x write path of a 1.x server: /api/v2/write?bucket= becomes /write?db=."""

    program = "nginx"

    def __init__(self, folder: Path, behind: Server) -> None:
        super().__init__(folder)
        self.behind = behind

    @override
    def command(self) -> list[str]:
        (self.folder / "logs").mkdir(exist_ok=True)
        config = self.folder / "nginx.conf"
        config.write_text(f"""
daemon off; pid nginx.pid; error_log logs/error.log; worker_processes 1; events {{}}
http {{
  access_log off; client_max_body_size 64m;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  server {{
    listen 127.0.0.1:{self.port};
    location = /api/v2/write {{
      rewrite ^ /write?db=$arg_bucket&precision=$arg_precision? break; proxy_pass {self.behind.url};
    }}
    location / {{ proxy_pass {self.behind.url}; }}
  }}
}}
""")
        return [self.path, "-p", str(self.folder), "-c", "nginx.conf"]

    @override
    def kill(self) -> None:
        """End master and workers."""
        self.terminate()

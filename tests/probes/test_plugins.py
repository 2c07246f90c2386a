"""Monitoring plugins: real ones, and hostile ones that are gone in time and take no more than they may."""

import asyncio
import os
import shlex
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind
from btimd.probes.catalogue import work_for
from btimd.probes.kinds_others import PluginErrand
from btimd.probes.plugins import Plugins
from btimd.probes.settings import PluginSettings
from btimd.probes.wire.dialogue import Outcome
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.probes.samples import check
from tests.programs import need

REAL = Path("/usr/lib/nagios/plugins")
SHELL = Path("/bin/sh").resolve()


def written(folder: Path, name: str, *lines: str, interpreter: str = "/bin/sh") -> str:
    """Write a plugin; returns its name."""
    path = folder / name
    path.write_text("\n".join([f"#!{interpreter}", *lines, ""]))
    path.chmod(0o755)
    return name


def plugins(*folders: Path, metrics: Metrics | None = None, **more: object) -> Plugins:
    settings = PluginSettings.model_validate({"directories": folders, **more})
    return Plugins(settings, metrics=metrics or Metrics(), log=Log("plugins"))


async def ran(
    runner: Plugins, command: str, *, within: float = PATIENCE_SECONDS, port: int = 0, **more: str
) -> Outcome:
    return await ran_with(runner, {"command": command, **more}, within=within, port=port)


async def ran_with(
    runner: Plugins, options: dict[str, str], *, within: float = PATIENCE_SECONDS, port: int = 0
) -> Outcome:
    of = check(kind=CheckKind.PLUGIN, port=port, timeout=within, options=options)
    errand = work_for(of, 1, {"secret": "hunter2"} if "secret_file" in options else {})
    assert isinstance(errand, PluginErrand)
    return await runner.run(errand, within)


def brief(outcome: Outcome) -> tuple[Health, ErrorClass, str]:
    return outcome.health, outcome.error, outcome.detail


def processes_named(text: str) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if text in (process / "cmdline").read_text(errors="replace"):
                    found.append(process.name)
            except OSError:
                continue
    return found


@pytest.mark.parametrize(
    ("status", "options", "health", "error"),
    [
        (0, {}, Health.GOOD, ErrorClass.NONE),
        (1, {}, Health.GOOD, ErrorClass.NONE),
        (1, {"warning": "bad"}, Health.BAD, ErrorClass.WRONG_ANSWER),
        (2, {}, Health.BAD, ErrorClass.WRONG_ANSWER),
        (3, {}, Health.UNKNOWN, ErrorClass.LOCAL_FAILURE),
    ],
)
async def test_the_exit_status_says_how_it_is(
    tmp_path: Path, status: int, options: dict[str, str], health: Health, error: ErrorClass
) -> None:
    name = written(tmp_path, "check_it", "echo \"IT - as it is | 'time used'=12ms;;;0\"", f"exit {status}")
    outcome = await ran_with(plugins(tmp_path), {"command": name, **options})
    assert brief(outcome) == (health, error, "check_it: IT - as it is")
    assert dict(outcome.values) == {"time_used_seconds": pytest.approx(0.012), "exit_status": float(status)}


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        (("exit 7",), "check_it ended with status 7: said nothing"),
        (("echo oops >&2", "exit 1"), "check_it ended with status 1 and said nothing: oops"),
        (("kill -SEGV $$",), "check_it was ended by SIGSEGV: said nothing"),
    ],
)
async def test_what_is_no_word_of_a_plugin_says_nothing(tmp_path: Path, lines: tuple[str, ...], detail: str) -> None:
    outcome = await ran(plugins(tmp_path), written(tmp_path, "check_it", *lines))
    assert brief(outcome) == (Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, detail)


async def test_no_shell_reads_the_arguments_and_the_environment_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS_TOKEN", "x")
    name = written(tmp_path, "check_it", 'echo "$# [$1] [$2] $(env | cut -d= -f1 | sort | tr "\\n" " ")"')
    outcome = await ran(plugins(tmp_path), f"{name} '$(id); a b' \"$HOST$:$PORT$/$TIMEOUT$\"", port=8080, within=60.0)
    assert outcome.detail == ("check_it: 2 [$(id); a b] [127.0.0.1:8080/59] BTIMD_PLUGIN_RUN HOME LANG LC_ALL PATH PWD")


async def test_a_secret_is_in_the_environment_or_in_a_file_in_memory_and_in_no_list_of_processes(
    tmp_path: Path,
) -> None:
    name = written(
        tmp_path, "check_it", 'echo "$PGPASSWORD $(cat $1) $(tr "\\0" " " < /proc/$$/cmdline | grep -c hunter2)"'
    )
    outcome = await ran(plugins(tmp_path), f"{name} $SECRET_FILE$", secret_file="s", secret_env="PGPASSWORD")
    assert outcome.detail == "check_it: hunter2 hunter2 0"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "a plugin check needs a command"),
        ({"command": "check_it 'x"}, "No closing quotation; quote arguments as in a shell"),
        ({"command": "check_it -p $SECRET$"}, "would show the secret to everybody who lists processes"),
        ({"command": "check_it $SECRET_FILE$"}, "write the option secret_file too"),
        ({"command": "check_it", "warning": "worse"}, "warning 'worse' is unknown; write good or bad"),
    ],
)
def test_options_that_make_no_sense_are_said(options: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem.replace("$", r"\$")):
        work_for(check(kind=CheckKind.PLUGIN, options=options), 1)


async def test_only_programs_of_the_named_folders_are_run(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    written(outside, "check_out", "echo no")
    (inside / "check_link").symlink_to(outside / "check_out")
    (inside / written(inside, "check_plain", "echo no")).chmod(0o644)
    (inside / written(inside, "check_open", "echo no")).chmod(0o757)
    metrics = Metrics()
    runner = plugins(inside, metrics=metrics)
    told = [
        (await ran(runner, one)).detail.replace(str(tmp_path), "")
        for one in ("check_link", "../out/check_out", "/bin/sh", "check_plain", "check_open", "check_none")
    ]
    assert told == [
        "check_link is not run: /out/check_out is outside of [probes.plugins] directories",
        "../out/check_out is not run: /out/check_out is outside of [probes.plugins] directories",
        f"/bin/sh is not run: {SHELL} is outside of [probes.plugins] directories",
        "check_plain is not run: /in/check_plain is not executable; chmod +x",
        "check_open is not run: everybody may write to /in/check_open or its folder; chmod o-w",
        "check_none is not in /in; install it or correct command",
    ]
    assert metrics.value("btimd_probes_plugins_refused_total") == 6.0


async def test_without_folders_nothing_is_run() -> None:
    outcome = await ran(plugins(), "check_tcp")
    assert brief(outcome) == (
        Health.UNKNOWN,
        ErrorClass.LOCAL_FAILURE,
        "check_tcp is not run: plugins are switched off; name their folders in [probes.plugins] directories",
    )


async def test_one_that_ignores_its_end_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = f"3{os.getpid()}17"
    name = written(
        tmp_path, "check_it", "trap '' TERM", f"sleep {mark} &", f"setsid sleep {mark} &", f"sleep {mark}", "sleep 100"
    )
    metrics = Metrics()
    outcome = await ran(plugins(tmp_path, metrics=metrics), name, within=0.6)
    assert brief(outcome) == (
        Health.UNKNOWN,
        ErrorClass.LOCAL_FAILURE,
        "check_it did not end in time and was killed, after 0.6 s at most; give it a time limit of its own",
    )
    assert processes_named(mark) == []
    assert metrics.value("btimd_probes_plugins_killed_total") == 1.0
    assert metrics.value("btimd_probes_plugins_strays_total") >= 1.0


async def test_silence_may_be_declared_bad(tmp_path: Path) -> None:
    outcome = await ran(plugins(tmp_path), written(tmp_path, "check_it", "sleep 9"), within=0.4, silence="bad")
    assert brief(outcome) == (Health.BAD, ErrorClass.TIMEOUT, "check_it did not end in 0.4 s")


async def test_a_child_that_keeps_the_pipes_does_not_hold_the_answer_back(tmp_path: Path) -> None:
    mark = f"4{os.getpid()}17"
    name = written(tmp_path, "check_it", f"setsid sleep {mark} &", "echo fine")
    outcome = await ran(plugins(tmp_path), name, within=5.0)
    assert brief(outcome) == (Health.GOOD, ErrorClass.NONE, "check_it: fine")
    assert processes_named(mark) == []


async def test_a_cancelled_plugin_leaves_nothing(tmp_path: Path) -> None:
    mark = f"5{os.getpid()}17"
    name = written(tmp_path, "check_it", f"touch {tmp_path}/began", f"setsid sleep {mark} &", f"sleep {mark}")
    task = asyncio.ensure_future(ran(plugins(tmp_path), name, within=30.0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(processes_named(mark)) < 2:  # noqa: ASYNC110  processes set no events
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert processes_named(mark) == []


async def test_endless_and_binary_output_is_bounded(tmp_path: Path) -> None:
    runner = plugins(tmp_path, output_bytes=4096)
    endless = await ran(runner, written(tmp_path, "check_yes", "yes"), within=5.0)
    assert (
        endless.detail
        == "check_yes wrote without end and was killed, after 5 s at most; give it a time limit of its own"
    )
    binary = await ran(runner, written(tmp_path, "check_raw", "head -c 20000 /dev/urandom"))
    assert binary.health is Health.GOOD
    assert len(binary.detail) <= 240
    assert all(character.isprintable() for character in binary.detail)


async def test_memory_files_and_processor_time_are_limited(tmp_path: Path) -> None:
    runner = plugins(tmp_path, memory_bytes=256 * 1024 * 1024, cpu_seconds=1, open_files=16)
    python = need("python3")
    hungry = written(tmp_path, "check_ram", "x = bytearray(10**9)", "print('got it')", interpreter=python)
    assert "MemoryError" in (await ran(runner, hungry)).detail
    limits = written(tmp_path, "check_ulimit", "ulimit -t; ulimit -n; ulimit -c")
    assert (await ran(runner, limits)).detail == "check_ulimit: 1 / 16 0"
    spins = await ran(runner, written(tmp_path, "check_spin", "while :; do :; done"), within=8.0)
    assert spins.health is Health.UNKNOWN
    assert spins.detail.startswith(("check_spin was ended by SIGXCPU", "check_spin was ended by SIGKILL"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder where other users may look too, unlike in tmp_path."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to run a plugin as somebody else")
async def test_a_fork_bomb_is_held_down_and_swept_away(open_folder: Path) -> None:
    bomb = written(open_folder, "check_bomb", "b() { b | b & }", "b", "while :; do sleep 1; done")
    runner = plugins(open_folder, user="nobody", processes=64)
    who = await ran(runner, written(open_folder, "check_who", "id -un"))
    outcome = await ran(runner, bomb, within=1.0)
    assert who.detail == "check_who: nobody"
    assert outcome.health is Health.UNKNOWN
    assert processes_named("check_bomb") == []


async def test_no_more_than_allowed_run_at_a_time(tmp_path: Path) -> None:
    name = written(tmp_path, "check_it", "sleep 5")
    runner = plugins(tmp_path, concurrent=1)
    first = asyncio.ensure_future(ran(runner, name, within=1.5))
    await asyncio.sleep(0)
    second = await ran(runner, name, within=0.5)
    assert brief(second) == (
        Health.UNKNOWN,
        ErrorClass.OVER_BUDGET,
        "check_it was not begun: 1 plugins are running (probes.plugins.concurrent)",
    )
    first.cancel()
    await asyncio.wait([first])


@pytest.fixture
def web() -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"all is well"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.real_server
async def test_the_real_monitoring_plugins_are_understood(web: int) -> None:
    need("check_http", at=REAL)
    runner = plugins(REAL)
    page = await ran(runner, "check_http -H $HOST$ -p $PORT$ -s well -t $TIMEOUT$", port=web)
    assert (page.health, page.values["exit_status"]) == (Health.GOOD, 0.0)
    assert page.detail.startswith("check_http: HTTP OK: HTTP/1.0 200 OK")
    assert {"time_seconds", "size_bytes"} <= set(page.values)
    missing = await ran(runner, "check_http -H $HOST$ -p $PORT$ -s broken -t $TIMEOUT$", port=web)
    assert (missing.health, missing.error) == (Health.BAD, ErrorClass.WRONG_ANSWER)
    refused = await ran(runner, "check_tcp -H $HOST$ -p $PORT$ -t $TIMEOUT$", port=free_port())
    assert (refused.health, "refused" in refused.detail) == (Health.BAD, True)
    disk = await ran(runner, f"check_disk -w 1% -c 0% -p {shlex.quote('/')}")
    assert disk.values["root_bytes"] > 1e6
    load = await ran(runner, "check_load -w 0,0,0 -c 9999,9999,9999")
    assert {"load1", "load5", "load15"} <= set(load.values)
    wrong = await ran(runner, "check_tcp --nonsense")
    assert wrong.health is Health.UNKNOWN
    ldap = await ran(runner, "check_ldap -H $HOST$ -p $PORT$ -b dc=example -t $TIMEOUT$", port=free_port())
    assert ldap.health is not Health.GOOD

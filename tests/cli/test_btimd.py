"""The command as a whole: its subcommands, exit statuses, and what it does on small terminals and closed pipes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from btimd import __version__
from btimd.cli import check
from btimd.cli.btimd import COMMANDS, main
from tests.daemon.small import services_text, write_small
from tests.patience import PATIENCE_SECONDS


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "btimd", *arguments],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_every_subcommand_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: btimd {name} ")

    assert COMMANDS == (
        "run", "demo", "check", "checks", "explain", "plan", "snmp", "suggest", "rca", "replay", "decode", "dump-config",
    )  # fmt: skip


def test_the_daemon_does_not_carry_the_modules_of_other_commands(tmp_path: Path) -> None:
    program = f"""import sys
from btimd.cli.btimd import main
assert main(["run", "-c", "{tmp_path}"]) == 2
print(sorted(name for name in sys.modules if name in ("rich", "btimd.lab", "btimd.cli.demo", "influxdb_client")))"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"btimd {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["rnu"], ["check", "-c"], ["explain"], ["replay"], ["replay", "x", "--interval", "7s"]]
)
def test_wrong_usage_ends_with_status_2_and_one_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert "error:" in printed.err


def test_ctrl_c_ends_with_status_130(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(_options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupted)

    assert main(["check", "-c", str(tmp_path)]) == 130


@pytest.mark.slow
def test_as_a_real_command_it_checks_a_folder(tmp_path: Path) -> None:
    found = command("check", "-c", str(write_small(tmp_path)))

    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.splitlines()[0] == f"{tmp_path}: the configuration is right"


@pytest.mark.slow
def test_a_terminal_that_knows_no_chinese_gets_escapes_and_no_traceback(tmp_path: Path) -> None:
    write_small(tmp_path, services=services_text(name="企业资源计划"))
    explained = command(
        "explain", "flow", "10.1.1.7", "10.2.0.10", "443", "-c", str(tmp_path), PYTHONIOENCODING="ascii"
    )
    listed = command("demo", "--list-faults", PYTHONIOENCODING="latin-1")

    assert (explained.returncode, explained.stderr, listed.returncode, listed.stderr) == (0, "", 0, "")
    assert explained.stdout.startswith("business   \\u4f01\\u4e1a\\u8d44\\u6e90\\u8ba1\\u5212   rule erp\n")


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run(
        [sys.executable, "-m", "btimd", "dump-config", "-c", str(write_small(tmp_path))],
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (found.returncode, found.stderr) == (0, "")

"""The unit, its user and its limits, as systemd reads them."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest

from btimd.capture.settings import NetflowSettings
from tests.patience import PATIENCE_SECONDS
from tests.programs import need

SYSTEMD = Path(__file__).parents[2] / "systemd"
EXPOSURE_TIMES_TEN = 20


def unit() -> dict[str, list[str]]:
    """Return the settings of [Service]; a key may stand several times."""
    found: dict[str, list[str]] = {}
    section = (
        (SYSTEMD / "btimd.service").read_text(encoding="utf-8").partition("[Service]\n")[2].partition("[Install]")[0]
    )
    for line in section.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    tool = need("systemd-analyze")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


@pytest.mark.real_server
@pytest.mark.slow
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text = (SYSTEMD / "btimd.service").read_text(encoding="utf-8")
    copy = tmp_path / "btimd.service"
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE), encoding="utf-8")

    found = analyze("verify", str(copy))

    # a directive that systemd does not know is printed, and the status stays 0
    assert [line for line in (found.stdout + found.stderr).splitlines() if "btimd" in line] == []
    assert found.returncode == 0


@pytest.mark.real_server
@pytest.mark.slow
def test_the_unit_is_well_locked_up() -> None:
    found = analyze("security", "--offline=true", f"--threshold={EXPOSURE_TIMES_TEN}", str(SYSTEMD / "btimd.service"))

    assert found.returncode == 0, found.stdout[-2000:]


def test_the_sandbox_lets_kernels_compile_and_numpy_load() -> None:
    settings = unit()

    assert settings["SystemCallErrorNumber"] == ["EPERM"]  # else OpenBLAS is killed for trying mbind
    assert "MemoryDenyWriteExecute" not in settings
    assert settings["Environment"] == [f"NUMBA_CACHE_DIR=/var/cache/{settings['CacheDirectory'][0]}"]


def test_the_user_of_the_unit_is_the_one_that_sysusers_makes() -> None:
    kind, made, *_ = (SYSTEMD / "btimd.sysusers").read_text(encoding="utf-8").split()

    assert (kind, made) == ("u", unit()["User"][0])


def test_the_kernel_grants_the_receive_buffer_that_is_asked_for() -> None:
    parser = configparser.ConfigParser()
    parser.read_string("[kernel]\n" + (SYSTEMD / "btimd.sysctl").read_text(encoding="utf-8"))

    assert int(parser["kernel"]["net.core.rmem_max"]) >= NetflowSettings().receive_buffer_bytes

from pathlib import Path

import pytest

from btimd.daemon.runners import Runners, read_option_file
from btimd.model.service import CheckKind
from btimd.probes.catalogue import SPECS
from btimd.probes.hostmibs import HostErrand
from btimd.probes.kinds_others import PluginErrand, ScrapeErrand
from btimd.probes.settings import ProbeSettings
from btimd.probes.walks import MtuErrand, PathErrand
from btimd.runtime.clock import ManualClock
from btimd.runtime.metrics import Metrics


async def test_every_errand_has_its_runner() -> None:
    runners = Runners(ProbeSettings(), (), metrics=Metrics(), clock=ManualClock())
    assert set(runners.by_errand) == {PathErrand, MtuErrand, PluginErrand, ScrapeErrand, HostErrand}
    runners.swap(ProbeSettings(), ())
    await runners.stop()
    await runners.stop()


def test_every_kind_of_check_can_be_built() -> None:
    assert set(SPECS) == set(CheckKind)


def test_a_secret_must_be_its_owners_alone_and_an_authority_need_not(tmp_path: Path) -> None:
    file = tmp_path / "it"
    file.write_text("hush\n", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(ValueError, match="can be read by others"):
        read_option_file(str(file), secret=True)
    assert read_option_file(str(file), secret=False) == "hush\n"
    file.chmod(0o600)
    assert read_option_file(str(file), secret=True) == "hush"

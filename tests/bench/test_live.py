from pathlib import Path

import pytest

from bench.live import Setting, btimd_trial
from bench.traffic import Network, make_plan, make_rules

ENTRIES, SERVICE_RULES = make_plan(60), make_rules(20)


@pytest.mark.slow
def test_a_slow_trial_of_btimd_loses_nothing_and_every_cell_is_right(tmp_path: Path) -> None:
    network = Network.of(ENTRIES, SERVICE_RULES, 300)
    setting = Setting(tmp_path, ENTRIES, SERVICE_RULES, network, 8_192, 0.5)
    trial = btimd_trial(setting, setting.lap(), 2_000.0, 4 << 20)
    assert (trial.tool, trial.buffer_megabytes, trial.lost, trial.reported) == ("btimd", 4, 0, 0)

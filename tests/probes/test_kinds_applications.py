from btimd.model.service import CheckKind
from btimd.probes.kinds_applications import KINDS


def test_every_kind_says_what_its_options_mean() -> None:
    assert {kind: spec.options for kind, spec in KINDS.items() if not all(spec.options.values())} == {}
    assert set(KINDS) <= set(CheckKind)

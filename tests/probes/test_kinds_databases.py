import pytest

from btimd.model.service import CheckKind
from btimd.probes import kinds_databases, kinds_middleware
from btimd.probes.catalogue import dialogue_for, problem_of
from btimd.probes.wire.dialogue import Connect, Deadline
from tests.probes.samples import check
from tests.probes.wire.scripts import begin, outcome, speak

KINDS = {**kinds_databases.KINDS, **kinds_middleware.KINDS}
"""Both are servers with a log-on of their own, and are built alike."""

SECRET = "correct horse"


def test_every_kind_says_what_its_options_mean() -> None:
    assert {kind: spec.options for kind, spec in KINDS.items() if not all(spec.options.values())} == {}
    assert set(KINDS) <= set(CheckKind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_built_without_options_and_knows_its_port(kind: CheckKind) -> None:
    of = check(kind=kind, port=0 if KINDS[kind].default_port else 3050)
    assert problem_of(of) == ""
    first = dialogue_for(of, 7).start(0.0)[0]
    assert isinstance(first, Connect)
    assert first.port == (KINDS[kind].default_port or 3050)


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if spec.secrets])
def test_no_outcome_tells_a_password(kind: CheckKind) -> None:
    secrets = dict.fromkeys((name.removesuffix("_file") for name in KINDS[kind].secrets), SECRET)
    options = dict.fromkeys(KINDS[kind].secrets, "x") | {"tls": "false", "user": "probe"}
    of = check(kind=kind, options={name: value for name, value in options.items() if name in KINDS[kind].options})
    for answer in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 200, b"-ERR " + b"x" * 90 + b"\r\n"):
        dialogue = dialogue_for(of, 7, secrets)
        begin(dialogue)
        ended = outcome(speak(dialogue, answer, Deadline()))
        assert SECRET not in repr(ended)


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if "tls" in spec.options])
def test_a_word_for_tls_that_is_none_is_told(kind: CheckKind) -> None:
    assert problem_of(check(kind=kind, options={"tls": "maybe"})).startswith("tls 'maybe' is unknown")

import pytest

from btimd.api.convert_persons import PERSON_BINDING, PERSON_SOURCE
from tests.fakes.persons import BINDINGS, SOURCES


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_binding_comes_back_as_it_went(binding: object) -> None:
    assert PERSON_BINDING.from_pb(PERSON_BINDING.to_pb(binding)) == binding  # type: ignore[arg-type]  # one of them


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_comes_back_as_it_went(source: object) -> None:
    assert PERSON_SOURCE.from_pb(PERSON_SOURCE.to_pb(source)) == source  # type: ignore[arg-type]  # one of them

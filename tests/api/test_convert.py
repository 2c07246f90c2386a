"""What goes on the wire comes back as it was."""

import types
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.api.codec import CODECS, EnumCodec
from btimd.api.convert import SLA_STATE, graph_from_pb, graph_to_pb, series_row_from_pb, series_row_to_pb
from btimd.api.pb import flows_pb2
from btimd.model.points import SeriesRow
from btimd.model.quality import COUNTERS
from btimd.model.symptom import Symptom
from btimd.model.verdict import Verdict
from tests.fakes.views import GRAPH
from tests.fakes.views import SLA_STATE as STATE

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIME = st.floats(0.0, 4e9).map(lambda seconds: round(seconds, 6))
MILLIS = st.integers(0, 4_000_000_000_000)
TIMES = {
    "since", "seen_at", "period_start", "period_end", "at", "accept_by", "pending_until", "pending_since", "stage_eta", "until",
}  # fmt: skip


def values(model: type, name: str, hint: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one return per kind of type
    """Return a strategy for one field by its type and, for times and words, its name."""
    if get_origin(hint) in {Union, types.UnionType}:
        inner = next(argument for argument in get_args(hint) if argument is not type(None))
        return st.none() | values(model, name, inner)
    if get_origin(hint) is tuple:
        return st.lists(values(model, name, get_args(hint)[0]), max_size=3).map(tuple)
    if get_args(hint):
        return st.dictionaries(TEXT, values(model, name, get_args(hint)[1]), min_size=1, max_size=3)
    if is_dataclass(hint):
        return objects(hint)  # type: ignore[arg-type]  # is_dataclass narrows to instances as well
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    if hint is str and (words := words_of(model, name)):
        return st.sampled_from(words)
    if hint is float:
        return TIME if name in TIMES or name.endswith("_at") else st.floats(allow_nan=False)
    if hint is int:
        return MILLIS if name.endswith("_milliseconds") else st.integers(0, 2**31 - 1)
    return {str: TEXT, bool: st.booleans()}[hint]


def words_of(model: type, name: str) -> list[str]:
    """Return the texts that a field may hold which is an enum over there, [] for one that is none."""
    (field,) = (one for one in CODECS[model]._fields if one.name == name)
    descriptor: Any = CODECS[model]._message.DESCRIPTOR
    for part in field._path[:-1]:
        descriptor = descriptor.fields_by_name[part].message_type
    found = descriptor.fields_by_name[field._path[-1]].enum_type
    return sorted(EnumCodec(None, found)._numbers) if found is not None else []


def objects(model: type) -> st.SearchStrategy[Any]:
    """Return a strategy for objects of a model class that keeps its invariants."""
    hints = get_type_hints(model)
    parts = {field.name: values(model, field.name, hints[field.name]) for field in fields(model)}
    if model is Symptom:
        return st.fixed_dictionaries(parts).map(lambda given: Symptom(**{**given, "seen_at": given["since"] + 1.0}))
    if model is Verdict:
        parts |= {"confidence": st.floats(0, 1), "path": st.just(())}
    return st.builds(model, **parts)


@pytest.mark.parametrize("model", CODECS, ids=lambda model: model.__name__)
def test_every_object_comes_back_as_it_was(model: type) -> None:
    codec = CODECS[model]

    @settings(max_examples=40)
    @given(objects(model))
    def round_trip(value: Any) -> None:
        message = codec.to_pb(value)
        assert codec.from_pb(type(message).FromString(message.SerializeToString())) == value

    round_trip()


@settings(max_examples=40)
@given(st.lists(st.none() | st.floats(allow_nan=False), max_size=4).map(tuple), MILLIS)
def test_a_missing_value_of_a_series_comes_back_missing(found: tuple[float | None, ...], time: int) -> None:
    row = SeriesRow(time, ("erp",), found)

    assert series_row_from_pb(series_row_to_pb(row)) == row


def test_the_graph_comes_back_as_it_was_and_in_its_order() -> None:
    back = graph_from_pb(graph_to_pb(GRAPH))

    assert back == GRAPH
    assert [*back.nodes] == [*GRAPH.nodes]


def test_quality_on_the_wire_has_every_counter_and_no_other() -> None:
    assert [field.name for field in flows_pb2.QualityCounters.DESCRIPTOR.fields] == [*COUNTERS]


def test_what_was_not_measured_is_unset_and_not_zero() -> None:
    message = SLA_STATE.to_pb(replace(STATE, availability=None, coverage=None))

    assert not message.HasField("availability_ratio")
    assert not message.quality.HasField("coverage_ratio")

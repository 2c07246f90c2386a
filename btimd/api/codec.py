"""Codec: model dataclass <-> protobuf message, field by field, checked for completeness when it is built.

A field has the same name on both sides, or the codec says how it is called over there. A field that only one side
has is an error at import, so a model that grows cannot silently lose what it grew on the wire.
"""

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from btimd.model.units import MILLIS_PER_SECOND, UnixMillis, UnixSeconds

M = TypeVar("M")
P = TypeVar("P", bound=Message)

_NANOS_PER_SECOND: Final = 1_000_000_000
_NANOS_PER_MILLI: Final = 1_000_000
_UNSPECIFIED: Final = 0


class NotConvertibleError(ValueError):
    """A message that says less, or more, than the model can hold: an enum value that is unset or not known here."""


def timestamp_of_seconds(seconds: UnixSeconds) -> Timestamp:
    """Return a wall-clock moment as a Timestamp; exact to the nanosecond, which is finer than a float holds."""
    whole = math.floor(seconds)
    nanos = round((seconds - whole) * _NANOS_PER_SECOND)
    carry, nanos = divmod(nanos, _NANOS_PER_SECOND)
    return Timestamp(seconds=whole + carry, nanos=nanos)


def seconds_of_timestamp(stamp: Timestamp) -> UnixSeconds:
    """Return seconds since 1970 UTC."""
    return stamp.seconds + stamp.nanos / _NANOS_PER_SECOND


def timestamp_of_millis(millis: UnixMillis) -> Timestamp:
    """Return a wall-clock moment in milliseconds as a Timestamp."""
    whole, rest = divmod(millis, MILLIS_PER_SECOND)
    return Timestamp(seconds=whole, nanos=rest * _NANOS_PER_MILLI)


def millis_of_timestamp(stamp: Timestamp) -> UnixMillis:
    """Return milliseconds since 1970 UTC, rounded down."""
    return int(stamp.seconds) * MILLIS_PER_SECOND + int(stamp.nanos) // _NANOS_PER_MILLI


class EnumCodec:
    """Model enum members (or plain texts, for a `str` field) <-> numbers of a protobuf enum, by name.

    Member CAUSE_FOUND, or the text "cause-found", is VERDICT_STATUS_CAUSE_FOUND over there. Raises TypeError when the
    two enums do not have the same members.
    """

    def __init__(self, kind: type[Enum] | None, descriptor: EnumDescriptor) -> None:
        unspecified = descriptor.values_by_number[_UNSPECIFIED].name
        prefix = unspecified.removesuffix("UNSPECIFIED")
        names = {value.name.removeprefix(prefix): value.number for value in descriptor.values if value.number}
        if kind is None:
            members: dict[str, Any] = {name: name.lower().replace("_", "-") for name in names}
        else:
            members = {member.name: member for member in kind}
        if members.keys() != names.keys():
            raise TypeError(f"{descriptor.full_name} and {kind} differ in {sorted(members.keys() ^ names.keys())}")
        self._name = descriptor.full_name
        self._numbers = {member: names[name] for name, member in members.items()}
        self._members = {number: members[name] for name, number in names.items()}

    def to_pb(self, member: Any) -> int:
        """Return the number of a member; None is unspecified."""
        return _UNSPECIFIED if member is None else self._numbers[member]

    def from_pb(self, number: int) -> Any:
        """Return the member of a number; raises NotConvertibleError for unspecified and unknown ones."""
        try:
            return self._members[number]
        except KeyError:
            raise NotConvertibleError(f"{self._name} has no value {number} here") from None


class _FieldCodec:
    """How one field is written into a message and read back."""

    def __init__(self, name: str, hint: Any, message: type[Message], path: tuple[str, ...]) -> None:
        descriptor: Any = message.DESCRIPTOR
        for part in path[:-1]:
            descriptor = descriptor.fields_by_name[part].message_type
        field: FieldDescriptor = descriptor.fields_by_name[path[-1]]
        self.name = name
        self._path = path
        self._field_name = path[-1]
        self._optional, hint = _without_none(hint)
        self._has_presence = field.has_presence
        self._repeated = field.is_repeated
        self._write: Callable[[Any], Any]
        self._read: Callable[[Any], Any]
        self._map = self._repeated and get_origin(hint) in {Mapping, dict}
        if self._map:
            self._write, self._read = _same, _same
            return
        if self._repeated:
            hint = get_args(hint)[0]
        self._write, self._read = _element(name, hint, field)

    def write(self, value: Any, message: Any) -> None:
        """Set the field of `message` (the outermost) to a model value."""
        for part in self._path[:-1]:
            message = getattr(message, part)
        name = self._field_name
        if value is None:
            return
        if self._map:
            getattr(message, name).update(value)
        elif self._repeated:
            getattr(message, name).extend([self._write(item) for item in value])
        else:
            written = self._write(value)
            if isinstance(written, Message):
                getattr(message, name).CopyFrom(written)
            else:
                setattr(message, name, written)

    def read(self, message: Any) -> Any:
        """Return the model value of the field."""
        for part in self._path[:-1]:
            message = getattr(message, part)
        name = self._field_name
        if self._map:
            return dict(getattr(message, name)) or (None if self._optional else {})
        if self._repeated:
            return tuple(self._read(item) for item in getattr(message, name))
        found = getattr(message, name)
        if self._optional and not (message.HasField(name) if self._has_presence else found):
            return None
        return self._read(found)


class Codec(Generic[M, P]):
    """One kind of model object on the wire.

    renames: model field -> name over there, with dots for a field of a nested message. Nested dataclasses need their
    own codec, built before. Raises TypeError when a field of either side has no counterpart.
    """

    def __init__(
        self, model: type[M], message: type[P], renames: Mapping[str, str] = types.MappingProxyType({})
    ) -> None:
        hints = get_type_hints(model)
        self._model = model
        self._message = message
        paths = {
            field.name: tuple(renames.get(field.name, field.name).split("."))
            for field in fields(model)  # type: ignore[arg-type]  # every model type is a dataclass
        }
        there = {field.name for field in message.DESCRIPTOR.fields}
        here = {path[0] for path in paths.values()}
        if here != there:
            raise TypeError(f"{model.__name__} and {message.DESCRIPTOR.full_name} differ in {sorted(here ^ there)}")
        self._fields = [_FieldCodec(name, hints[name], message, path) for name, path in paths.items()]
        CODECS[model] = self

    def to_pb(self, value: M) -> P:
        """Return the message of a model object."""
        message = self._message()
        for field in self._fields:
            field.write(getattr(value, field.name), message)
        return message

    def from_pb(self, message: P) -> M:
        """Return the model object of a message; raises NotConvertibleError, and ValueError where an invariant fails."""
        return self._model(**{field.name: field.read(message) for field in self._fields})


CODECS: Final[dict[type, Codec[Any, Any]]] = {}
"""Every codec by its model type."""


def _same(value: Any) -> Any:
    return value


def _without_none(hint: Any) -> tuple[bool, Any]:
    """Return whether None is allowed, and the hint without it."""
    if get_origin(hint) in {Union, types.UnionType}:
        rest = [argument for argument in get_args(hint) if argument is not type(None)]
        return True, rest[0]
    return False, hint


def _element(name: str, hint: Any, field: FieldDescriptor) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return how one value (not a list) is written and read."""
    kind = field.message_type
    if kind is not None and kind.full_name == Timestamp.DESCRIPTOR.full_name:
        if hint is float:
            return timestamp_of_seconds, seconds_of_timestamp
        return timestamp_of_millis, millis_of_timestamp
    if kind is not None:
        if not is_dataclass(hint) or hint not in CODECS:
            raise TypeError(f"{name}: no codec for {hint} yet, wanted for {kind.full_name}")
        return CODECS[hint].to_pb, CODECS[hint].from_pb
    if field.enum_type is not None:
        codec = EnumCodec(None if hint is str else hint, field.enum_type)
        return codec.to_pb, codec.from_pb
    return hint, hint  # numpy numbers and the like become plain ones; protobuf checks the range

from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BudgetScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUDGET_SCOPE_UNSPECIFIED: _ClassVar[BudgetScope]
    BUDGET_SCOPE_ALL: _ClassVar[BudgetScope]
    BUDGET_SCOPE_KIND: _ClassVar[BudgetScope]
    BUDGET_SCOPE_SUBNET: _ClassVar[BudgetScope]
    BUDGET_SCOPE_DEVICE: _ClassVar[BudgetScope]
    BUDGET_SCOPE_HOST: _ClassVar[BudgetScope]
    BUDGET_SCOPE_SERVER: _ClassVar[BudgetScope]
BUDGET_SCOPE_UNSPECIFIED: BudgetScope
BUDGET_SCOPE_ALL: BudgetScope
BUDGET_SCOPE_KIND: BudgetScope
BUDGET_SCOPE_SUBNET: BudgetScope
BUDGET_SCOPE_DEVICE: BudgetScope
BUDGET_SCOPE_HOST: BudgetScope
BUDGET_SCOPE_SERVER: BudgetScope

class BudgetRow(_message.Message):
    __slots__ = ("scope", "name", "probes", "heavy", "diagnosis", "octets", "waits", "refused", "back_offs", "in_flight", "troubles", "backing_off_seconds", "load", "per_second", "concurrent", "octets_per_second")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    HEAVY_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    OCTETS_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    BACK_OFFS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    TROUBLES_FIELD_NUMBER: _ClassVar[int]
    BACKING_OFF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    OCTETS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    scope: BudgetScope
    name: str
    probes: int
    heavy: int
    diagnosis: int
    octets: int
    waits: int
    refused: int
    back_offs: int
    in_flight: int
    troubles: int
    backing_off_seconds: float
    load: float
    per_second: float
    concurrent: int
    octets_per_second: float
    def __init__(self, scope: _Optional[_Union[BudgetScope, str]] = ..., name: _Optional[str] = ..., probes: _Optional[int] = ..., heavy: _Optional[int] = ..., diagnosis: _Optional[int] = ..., octets: _Optional[int] = ..., waits: _Optional[int] = ..., refused: _Optional[int] = ..., back_offs: _Optional[int] = ..., in_flight: _Optional[int] = ..., troubles: _Optional[int] = ..., backing_off_seconds: _Optional[float] = ..., load: _Optional[float] = ..., per_second: _Optional[float] = ..., concurrent: _Optional[int] = ..., octets_per_second: _Optional[float] = ...) -> None: ...

class GetBudgetRequest(_message.Message):
    __slots__ = ("scope", "name", "limit")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    scope: BudgetScope
    name: str
    limit: int
    def __init__(self, scope: _Optional[_Union[BudgetScope, str]] = ..., name: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetBudgetResponse(_message.Message):
    __slots__ = ("rows", "scopes", "queued", "more")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[BudgetRow]
    scopes: int
    queued: int
    more: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[BudgetRow, _Mapping]]] = ..., scopes: _Optional[int] = ..., queued: _Optional[int] = ..., more: _Optional[bool] = ...) -> None: ...

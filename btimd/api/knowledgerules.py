"""What the services of knowledge, problems and surveys share: refusals, texts and windows of requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc

from btimd.api.codec import seconds_of_timestamp
from btimd.api.errors import ApiError, invalid
from btimd.api.requests import bounded, command_id
from btimd.model.incident import CommandRefusedError, RefusalCode
from btimd.model.knowledge import KnowledgeUnavailableError
from btimd.model.knowledgework import RecordAction, RecordCommand
from btimd.model.units import UnixSeconds

MAX_TEXT: Final = 20_000
MAX_NAME: Final = 200
MAX_ENTRIES: Final = 100
_STATUS: Final = {
    RefusalCode.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    RefusalCode.NOT_ALLOWED_NOW: grpc.StatusCode.FAILED_PRECONDITION,
    RefusalCode.WRONG_VERSION: grpc.StatusCode.ABORTED,
    RefusalCode.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    RefusalCode.NOT_PERMITTED: grpc.StatusCode.PERMISSION_DENIED,
}


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the knowledge base refuses, or cannot do now, into ApiError."""
    try:
        yield
    except CommandRefusedError as refused:
        metadata = {"allowed": ",".join(refused.allowed)} if refused.allowed else {}
        raise ApiError(_STATUS[refused.code], refused.code.name, str(refused), metadata=metadata) from refused
    except KnowledgeUnavailableError as error:
        raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "KNOWLEDGE_UNAVAILABLE", str(error)) from error


def command_of(action: RecordAction, request: Any, **said: Any) -> RecordCommand:
    """Return the wish of a request; reason and expected_version are read where the request has them."""
    fields = request.DESCRIPTOR.fields_by_name
    version = request.expected_version if "expected_version" in fields else 0
    if version < 0:
        raise invalid("expected_version", f"{version} is negative")
    if "reason" in fields:
        said.setdefault("reason", text(request, "reason"))
    return RecordCommand(action=action, command_id=command_id(request), expected_version=version, **said)


def text(message: Any, field: str) -> str:
    """Return a text that is not too long."""
    return bounded(field, getattr(message, field), MAX_TEXT)


def name(message: Any, field: str) -> str:
    """Return a name, an id or a title, which may be empty, that is not too long."""
    return bounded(field, getattr(message, field), MAX_NAME)


def names(message: Any, field: str) -> tuple[str, ...]:
    """Return a list of names that is neither too long nor has names that are."""
    entries = tuple(getattr(message, field))
    if len(entries) > MAX_ENTRIES:
        raise invalid(field, f"{len(entries)} of them; {MAX_ENTRIES} at most")
    return tuple(bounded(field, one, MAX_NAME) for one in entries)


def window(request: Any) -> tuple[UnixSeconds, UnixSeconds]:
    """Return start and end; raises ApiError for a window without either or that ends before it begins."""
    if not request.HasField("start") or not request.HasField("end"):
        raise invalid("start", "start and end must be given")
    start, end = seconds_of_timestamp(request.start), seconds_of_timestamp(request.end)
    if not start < end:
        raise invalid("end", "the window ends before it begins")
    return start, end

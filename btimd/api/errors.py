"""ApiError: a refusal with a reason that programs can read (google.rpc.ErrorInfo) and a sentence for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo  # type: ignore[import-untyped]  # has .pyi files but no py.typed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # has .pyi files but no py.typed
from grpc_status import rpc_status

DOMAIN: Final = "btimd"


class ApiError(Exception):
    """A call that is refused. reason: one of a few upper-case words. attachment: a message that helps the caller on."""

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] = MappingProxyType({}),
        fields: Mapping[str, str] = MappingProxyType({}),
        attachment: Message | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata)
        self.fields = dict(fields)
        self.attachment = attachment

    def status(self) -> Any:
        """Return the gRPC status with its details: ErrorInfo always, BadRequest for wrong fields, the attachment."""
        details: list[Message] = [ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=self.metadata)]
        if self.fields:
            violations = [BadRequest.FieldViolation(field=name, description=why) for name, why in self.fields.items()]
            details.append(BadRequest(field_violations=violations))
        if self.attachment is not None:
            details.append(self.attachment)
        packed = []
        for detail in details:
            anything = AnyMessage()
            anything.Pack(detail)
            packed.append(anything)
        return rpc_status.to_status(Status(code=self.code.value[0], message=self.message, details=packed))


def invalid(field: str, why: str) -> ApiError:
    """Return the refusal of one field of a request."""
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID", f"{field}: {why}", fields={field: why})


def not_found(what: str, name: str) -> ApiError:
    """Return the refusal of something that does not exist."""
    return ApiError(grpc.StatusCode.NOT_FOUND, "NOT_FOUND", f"there is no {what} {name!r}", metadata={what: name})

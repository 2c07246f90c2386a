import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo  # type: ignore[import-untyped]  # no py.typed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no py.typed

from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.pb import sla_pb2


def decoded(error: ApiError) -> Status:
    ((key, value),) = error.status().trailing_metadata
    assert key == "grpc-status-details-bin"
    return Status.FromString(value)


def test_a_wrong_field_is_named_in_the_details() -> None:
    status = decoded(invalid("limit", "5000 is not from 0 to 1000"))
    info, request = ErrorInfo(), BadRequest()

    assert (status.code, status.message) == (3, "limit: 5000 is not from 0 to 1000")
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("INVALID", "btimd")
    assert status.details[1].Unpack(request)
    assert [(found.field, found.description) for found in request.field_violations] == [
        ("limit", "5000 is not from 0 to 1000")
    ]


def test_what_does_not_exist_is_named() -> None:
    error = not_found("incident", "I-9")

    assert (error.code, str(error), error.metadata) == (
        grpc.StatusCode.NOT_FOUND,
        "there is no incident 'I-9'",
        {"incident": "I-9"},
    )


def test_an_attachment_goes_along() -> None:
    target = sla_pb2.SlaTarget(business="erp", availability_percent=99.9)
    status = decoded(ApiError(grpc.StatusCode.ABORTED, "WRONG_VERSION", "changed", attachment=target))
    found = sla_pb2.SlaTarget()

    assert status.details[1].Unpack(found)
    assert found == target

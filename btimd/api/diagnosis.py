"""DiagnosisService: kept diagnoses, their stories, and the files from which they can be made again."""

from typing import Final

import grpc

from btimd.api.auth import Caller
from btimd.api.convert_diagnosis import DIAGNOSIS_ENTRY, DIAGNOSIS_STORY
from btimd.api.errors import ApiError, not_found
from btimd.api.pb import diagnosis_pb2 as pb
from btimd.api.requests import named, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.diagnosis import DiagnosisView

MOST_OCTETS: Final = 60 * 1024 * 1024
"""Of a file that is handed out; callers take no larger messages."""


class DiagnosisServicer:
    """Serves a DiagnosisView."""

    def __init__(self, view: DiagnosisView) -> None:
        self._view = view

    async def list_diagnoses(self, request: pb.ListDiagnosesRequest, _caller: Caller) -> pb.ListDiagnosesResponse:
        """Return the kept diagnoses."""
        limit = page_limit(request.limit)
        page, more = page_of(self._view.diagnoses(limit + 1), limit)
        return pb.ListDiagnosesResponse(diagnoses=[DIAGNOSIS_ENTRY.to_pb(entry) for entry in page], more=more)

    async def get_diagnosis(self, request: pb.GetDiagnosisRequest, _caller: Caller) -> pb.GetDiagnosisResponse:
        """Tell one."""
        diagnosis_id = named(request, "id")
        try:
            story = await self._view.diagnosis(diagnosis_id)
        except KeyError as error:
            raise not_found("kept diagnosis", diagnosis_id) from error
        except ValueError as error:
            raise _unreadable(error) from error
        return pb.GetDiagnosisResponse(story=DIAGNOSIS_STORY.to_pb(story))

    async def export_diagnosis(self, request: pb.ExportDiagnosisRequest, _caller: Caller) -> pb.ExportDiagnosisResponse:
        """Hand out the file of one."""
        diagnosis_id = named(request, "id")
        try:
            octets = await self._view.export(diagnosis_id)
        except KeyError as error:
            raise not_found("kept diagnosis", diagnosis_id) from error
        except ValueError as error:
            raise _unreadable(error) from error
        if len(octets) > MOST_OCTETS:
            raise ApiError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "TOO_LARGE",
                f"{len(octets)} octets, more than {MOST_OCTETS}; copy the file from state/diagnoses",
            )
        return pb.ExportDiagnosisResponse(capsule=octets)


def diagnosis_service(view: DiagnosisView) -> Service:
    """Return the service to be served."""
    return Service(pb.DESCRIPTOR.services_by_name["DiagnosisService"], DiagnosisServicer(view), ("rca",))


def _unreadable(error: ValueError) -> ApiError:
    return ApiError(grpc.StatusCode.FAILED_PRECONDITION, "UNREADABLE", str(error))

"""Calls of DiagnosisService, as seen by a caller."""

from typing import Final

from btimd.api.client import Client, Page
from btimd.api.convert_diagnosis import DIAGNOSIS_ENTRY, DIAGNOSIS_STORY
from btimd.api.pb import diagnosis_pb2 as pb
from btimd.model.diagnosis import DiagnosisEntry, DiagnosisStory

_STORY_SECONDS: Final = 120.0


def kept_diagnoses(client: Client, limit: int = 0) -> Page[DiagnosisEntry]:
    """Return the kept diagnoses, newest first."""
    return client.page("ListDiagnoses", pb.ListDiagnosesRequest(limit=limit), "diagnoses", DIAGNOSIS_ENTRY.from_pb)


def diagnosis_story(client: Client, diagnosis_id: str) -> DiagnosisStory:
    """Return one with all its steps; over a large model that takes a while."""
    response = client.call("GetDiagnosis", pb.GetDiagnosisRequest(id=diagnosis_id), _STORY_SECONDS)
    return DIAGNOSIS_STORY.from_pb(response.story)


def diagnosis_file(client: Client, diagnosis_id: str) -> bytes:
    """Return the file of one."""
    request = pb.ExportDiagnosisRequest(id=diagnosis_id)
    octets: bytes = client.call("ExportDiagnosis", request, _STORY_SECONDS).capsule
    return octets

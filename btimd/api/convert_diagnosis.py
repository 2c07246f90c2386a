"""Kept diagnoses <-> protobuf."""

from btimd.api import convert
from btimd.api.codec import Codec
from btimd.api.pb import diagnosis_pb2
from btimd.model.diagnosis import DiagnosisEntry, DiagnosisStep, DiagnosisStory, KnownFact, StoryEdge, StoryNode

BUILT_ON = (convert.SUSPECT, convert.SYMPTOM, convert.VERDICT)
DIAGNOSIS_ENTRY = Codec(DiagnosisEntry, diagnosis_pb2.DiagnosisEntry, {"seconds_taken": "taken_seconds"})
KNOWN_FACT = Codec(KnownFact, diagnosis_pb2.KnownFact)
DIAGNOSIS_STEP = Codec(DiagnosisStep, diagnosis_pb2.DiagnosisStep)
STORY_NODE = Codec(StoryNode, diagnosis_pb2.StoryNode)
STORY_EDGE = Codec(StoryEdge, diagnosis_pb2.StoryEdge)
DIAGNOSIS_STORY = Codec(DiagnosisStory, diagnosis_pb2.DiagnosisStory)

"""Duty and dispatch <-> protobuf."""

from typing import Final

from btimd.api.codec import Codec
from btimd.api.pb import duty_pb2 as pb
from btimd.model.duty import DutySlot
from btimd.model.dutyview import (
    CandidateRow,
    Candidates,
    CandidateTable,
    DispatchExplained,
    FactorWeights,
    GroupDuty,
    PersonLoad,
    PersonOnDuty,
    RotaProblem,
    RotaSpan,
)

PERSON_ON_DUTY: Final = Codec(PersonOnDuty, pb.PersonOnDuty)
GROUP_DUTY: Final = Codec(GroupDuty, pb.GroupDuty)
DUTY_SLOT: Final = Codec(DutySlot, pb.DutySlot)
ROTA_PROBLEM: Final = Codec(RotaProblem, pb.RotaProblem)
ROTA_SPAN: Final = Codec(RotaSpan, pb.GetRotaResponse)
CANDIDATE_ROW: Final = Codec(CandidateRow, pb.CandidateRow)
CANDIDATE_TABLE: Final = Codec(CandidateTable, pb.CandidateTable)
FACTOR_WEIGHTS: Final = Codec(FactorWeights, pb.FactorWeights)
DISPATCH_EXPLAINED: Final = Codec(DispatchExplained, pb.DispatchExplained)
CANDIDATES: Final = Codec(Candidates, pb.ListTransferCandidatesResponse)
PERSON_LOAD: Final = Codec(PersonLoad, pb.PersonLoad)

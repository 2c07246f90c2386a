"""Outages, restoring orders and grown needs <-> protobuf."""

from btimd.api.codec import Codec
from btimd.api.pb import impact_pb2
from btimd.model.growth import GrownNeed
from btimd.model.outage import (
    BusinessOutage,
    OpenCause,
    OutageImpact,
    Redundancy,
    RegionLoss,
    RestoringOrder,
    RestoringStep,
)

REGION_LOSS = Codec(RegionLoss, impact_pb2.RegionLoss)
BUSINESS_OUTAGE = Codec(BusinessOutage, impact_pb2.BusinessOutage)
REDUNDANCY = Codec(Redundancy, impact_pb2.Redundancy)
OUTAGE_IMPACT = Codec(OutageImpact, impact_pb2.OutageImpact)
OPEN_CAUSE = Codec(OpenCause, impact_pb2.OpenCause)
RESTORING_STEP = Codec(RestoringStep, impact_pb2.RestoringStep)
RESTORING_ORDER = Codec(RestoringOrder, impact_pb2.RestoringOrder)
GROWN_NEED = Codec(GrownNeed, impact_pb2.GrownNeed)

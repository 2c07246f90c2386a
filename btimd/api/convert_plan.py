"""Model <-> protobuf of the IP plan in use."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import plan_pb2 as pb
from btimd.model.planuse import (
    PlanChange,
    PlanConflict,
    PlanLineChange,
    PlanMove,
    PrefixUse,
    UnexpectedCount,
    UnexpectedTalker,
    UnexpectedTalkers,
    UnknownAddress,
    UnknownClients,
    UnknownPrefix,
)

_LAST = {"last_seen_milliseconds": "last_seen_at"}
_SEEN = {"first_seen_milliseconds": "first_seen_at", **_LAST}

PREFIX_USE = Codec(PrefixUse, pb.PrefixUse, _LAST)
UNKNOWN_ADDRESS = Codec(UnknownAddress, pb.UnknownAddress, _SEEN)
UNKNOWN_PREFIX = Codec(UnknownPrefix, pb.UnknownPrefix, _SEEN)
UNKNOWN_CLIENTS = Codec(UnknownClients, pb.ListUnknownAddressesResponse)
UNEXPECTED_TALKER = Codec(UnexpectedTalker, pb.UnexpectedTalker, _SEEN)
UNEXPECTED_COUNT = Codec(UnexpectedCount, pb.UnexpectedCount)
UNEXPECTED_TALKERS = Codec(UnexpectedTalkers, pb.ListUnexpectedTalkersResponse)
CONFLICT = Codec(PlanConflict, pb.PlanConflict)
LINE_CHANGE = Codec(PlanLineChange, pb.PlanLineChange)
MOVE = Codec(PlanMove, pb.PlanMove)
CHANGE = Codec(PlanChange, pb.PlanChange, {"at_milliseconds": "at"})

USE_ORDER = EnumCodec(None, pb.DESCRIPTOR.enum_types_by_name["PrefixUseOrder"])
UNKNOWN_ORDER = EnumCodec(None, pb.DESCRIPTOR.enum_types_by_name["UnknownOrder"])

"""Windows and silences <-> protobuf."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import maintenance_pb2 as pb
from btimd.model.maintenance import (
    Matcher,
    MinuteSpan,
    NewSuppression,
    Recurrence,
    SuppressedReport,
    Suppression,
    SuppressionKind,
    SuppressionView,
)

MATCHER = Codec(Matcher, pb.Matcher)
MINUTE_SPAN = Codec(MinuteSpan, pb.MinuteSpan)
RECURRENCE = Codec(Recurrence, pb.Recurrence)
SUPPRESSION = Codec(Suppression, pb.Suppression)
SUPPRESSION_VIEW = Codec(SuppressionView, pb.SuppressionView)
SUPPRESSED_REPORT = Codec(SuppressedReport, pb.SuppressedReport)
NEW_SUPPRESSION = Codec(NewSuppression, pb.NewSuppression)
SUPPRESSION_KIND = EnumCodec(SuppressionKind, pb.DESCRIPTOR.enum_types_by_name["SuppressionKind"])

"""Agreements and what was kept of them <-> protobuf."""

from btimd.api.codec import Codec
from btimd.api.pb import agreements_pb2 as pb
from btimd.model.agreement import (
    AuditEntry,
    DownShare,
    OutageChange,
    PeriodFigures,
    RevisedFigures,
    Revision,
    Standing,
)
from btimd.model.levels import (
    AgreementInfo,
    BreachForecast,
    CalendarDay,
    CalendarInfo,
    Contribution,
    OpenStretch,
    ResponseFigures,
    StandingView,
)

AGREEMENT_INFO = Codec(AgreementInfo, pb.AgreementInfo)
DOWN_SHARE = Codec(DownShare, pb.DownShare)
PERIOD_FIGURES = Codec(PeriodFigures, pb.PeriodFigures)
STANDING = Codec(Standing, pb.Standing)
RESPONSE_FIGURES = Codec(ResponseFigures, pb.ResponseFigures)
BREACH_FORECAST = Codec(BreachForecast, pb.BreachForecast)
STANDING_VIEW = Codec(StandingView, pb.StandingView)
CONTRIBUTION = Codec(Contribution, pb.Contribution)
OUTAGE_CHANGE = Codec(OutageChange, pb.OutageChange)
REVISION = Codec(Revision, pb.Revision)
REVISED_FIGURES = Codec(RevisedFigures, pb.RevisedFigures)
AUDIT_ENTRY = Codec(AuditEntry, pb.AuditEntry)
OPEN_STRETCH = Codec(OpenStretch, pb.OpenStretch)
CALENDAR_DAY = Codec(CalendarDay, pb.CalendarDay)
CALENDAR_INFO = Codec(CalendarInfo, pb.CalendarInfo)

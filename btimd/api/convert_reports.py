"""Model <-> protobuf of reports."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import reports_pb2 as pb
from btimd.model.report import (
    Report,
    ReportChannel,
    ReportCount,
    ReportReceipt,
    ReportSeverity,
    ReportState,
    ReportStorm,
    StoredReport,
)

REPORT = Codec(Report, pb.Report, {"class_": "class"})
STORED_REPORT = Codec(StoredReport, pb.StoredReport)
COUNT = Codec(ReportCount, pb.ReportCount)
STORM = Codec(ReportStorm, pb.ReportStorm)
RECEIPT = Codec(ReportReceipt, pb.CreateReportResponse)
CHANNEL = EnumCodec(ReportChannel, pb.DESCRIPTOR.enum_types_by_name["ReportChannel"])
STATE = EnumCodec(ReportState, pb.DESCRIPTOR.enum_types_by_name["ReportState"])
SEVERITY = EnumCodec(ReportSeverity, pb.DESCRIPTOR.enum_types_by_name["ReportSeverity"])

"""Calls of MaintenanceService, as seen by a caller."""

from btimd.api.client import Client, Page
from btimd.api.convert_maintenance import (
    NEW_SUPPRESSION,
    SUPPRESSED_REPORT,
    SUPPRESSION_KIND,
    SUPPRESSION_VIEW,
)
from btimd.api.pb import maintenance_pb2 as pb
from btimd.model.maintenance import NewSuppression, SuppressedReport, SuppressionKind, SuppressionView


def maintenance(
    client: Client,
    kind: SuppressionKind | None = None,
    *,
    past: bool = False,
    suppression_id: str | None = None,
    limit: int = 0,
) -> Page[SuppressionView]:
    """Return windows and silences, the newest first."""
    number = SUPPRESSION_KIND.to_pb(kind)
    request = pb.ListMaintenanceRequest(kind=number, include_past=past, id=suppression_id, limit=limit)  # type: ignore[arg-type]  # a number
    return client.page("ListMaintenance", request, "maintenance", SUPPRESSION_VIEW.from_pb)


def suppressed_reports(client: Client, suppression_id: str | None = None, limit: int = 0) -> Page[SuppressedReport]:
    """Return troubles that made no incident, the newest first."""
    request = pb.ListSuppressedReportsRequest(suppression_id=suppression_id, limit=limit)
    return client.page("ListSuppressedReports", request, "reports", SUPPRESSED_REPORT.from_pb)


def declare_maintenance(client: Client, command_id: str, new: NewSuppression) -> SuppressionView:
    """Declare a window or silence."""
    request = pb.DeclareMaintenanceRequest(command_id=command_id, new=NEW_SUPPRESSION.to_pb(new))
    return SUPPRESSION_VIEW.from_pb(client.call("DeclareMaintenance", request).maintenance)


def end_maintenance(client: Client, suppression_id: str, reason: str = "", *, void: bool = False) -> SuppressionView:
    """End a window or silence now. void: it was declared by mistake."""
    request = pb.EndMaintenanceRequest(id=suppression_id, reason=reason, void=void)
    return SUPPRESSION_VIEW.from_pb(client.call("EndMaintenance", request).maintenance)

"""MaintenanceService: windows and silences, and what they held back."""

from collections.abc import Collection

import grpc

from btimd.api.auth import Caller
from btimd.api.convert_maintenance import (
    NEW_SUPPRESSION,
    SUPPRESSED_REPORT,
    SUPPRESSION_KIND,
    SUPPRESSION_VIEW,
)
from btimd.api.errors import ApiError, invalid, not_found
from btimd.api.pb import maintenance_pb2 as pb
from btimd.api.requests import MAX_LIMIT, bounded, command_id, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.maintenance import MaintenanceView, Matcher, SuppressionView

_MOST_LETTERS = 1000


class MaintenanceServicer:
    """Serves a MaintenanceView."""

    def __init__(self, view: MaintenanceView) -> None:
        self._view = view

    async def list_maintenance(self, request: pb.ListMaintenanceRequest, caller: Caller) -> pb.ListMaintenanceResponse:
        """Return windows and silences."""
        limit = page_limit(request.limit)
        wanted = SUPPRESSION_KIND.from_pb(request.kind) if request.kind else None
        name = optional_name(request, "id")
        found = [
            one
            for one in self._view.suppressions(past=request.include_past or name is not None)
            if (wanted is None or one.suppression.kind is wanted)
            and name in {None, one.suppression.id}
            and self._is_seen(one.suppression.matcher, caller)
        ]
        page, more = page_of(found, limit)
        return pb.ListMaintenanceResponse(maintenance=[SUPPRESSION_VIEW.to_pb(one) for one in page], more=more)

    async def list_suppressed_reports(
        self, request: pb.ListSuppressedReportsRequest, caller: Caller
    ) -> pb.ListSuppressedReportsResponse:
        """Return troubles that made no incident."""
        limit = page_limit(request.limit)
        asked = limit + 1 if caller.scope.is_all else MAX_LIMIT
        found = await self._view.suppressed(optional_name(request, "suppression_id") or "", asked)
        seen = [one for one in found if caller.scope.allows(one.businesses, one.regions)]
        page, more = page_of(seen, limit)
        return pb.ListSuppressedReportsResponse(reports=[SUPPRESSED_REPORT.to_pb(one) for one in page], more=more)

    async def declare_maintenance(
        self, request: pb.DeclareMaintenanceRequest, caller: Caller
    ) -> pb.DeclareMaintenanceResponse:
        """Declare a window or silence."""
        command = command_id(request)
        for field in ("matcher", "start_at"):
            if not request.new.HasField(field):
                raise invalid(f"new.{field}", "must be given")
        new = NEW_SUPPRESSION.from_pb(request.new)
        self._must_be_whole(new.matcher, caller)
        try:
            made = await self._view.declare(new, by=caller.person, command_id=f"{caller.name}/{command}")
        except ValueError as error:
            raise invalid("new", str(error)) from error
        return pb.DeclareMaintenanceResponse(maintenance=SUPPRESSION_VIEW.to_pb(made))

    async def end_maintenance(self, request: pb.EndMaintenanceRequest, caller: Caller) -> pb.EndMaintenanceResponse:
        """End a window or silence."""
        name = named(request, "id")
        reason = bounded("reason", request.reason, _MOST_LETTERS)
        known = self._find(name)
        if known is None or not self._is_seen(known.suppression.matcher, caller):
            raise not_found("window or silence", name)
        self._must_be_whole(known.suppression.matcher, caller)
        try:
            ended = await self._view.end(name, by=caller.person, reason=reason, void=request.void)
        except KeyError as error:
            raise not_found("window or silence", name) from error
        except ValueError as error:
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "NOT_ALLOWED_NOW", str(error)) from error
        return pb.EndMaintenanceResponse(maintenance=SUPPRESSION_VIEW.to_pb(ended))

    def _find(self, name: str) -> SuppressionView | None:
        return next((one for one in self._view.suppressions(past=True) if one.suppression.id == name), None)

    def _is_seen(self, matcher: Matcher, caller: Caller) -> bool:
        """Tell whether it touches a caller's part; what names no business may touch any."""
        businesses, regions = self._view.touched(matcher)
        if not (matcher.businesses or matcher.nodes) and caller.scope.businesses:
            businesses = caller.scope.businesses
        return caller.scope.allows(businesses, regions)

    def _must_be_whole(self, matcher: Matcher, caller: Caller) -> None:
        """Refuse what reaches beyond a caller's part."""
        if caller.scope.is_all:
            return
        businesses, regions = self._view.touched(matcher)
        _inside("businesses", caller.scope.businesses, businesses, caller)
        if caller.scope.regions:
            _inside("regions", caller.scope.regions, regions, caller)


def _inside(what: str, allowed: Collection[str], touched: Collection[str], caller: Caller) -> None:
    if allowed and (not touched or not set(touched) <= set(allowed)):
        raise ApiError(
            grpc.StatusCode.PERMISSION_DENIED,
            "OUT_OF_SCOPE",
            f"{caller.name} is for {caller.scope.text()}; this reaches {what} beyond that",
        )


def maintenance_service(view: MaintenanceView) -> Service:
    """Return the service to be served."""
    service = pb.DESCRIPTOR.services_by_name["MaintenanceService"]
    return Service(service, MaintenanceServicer(view), ("maintenance", "store"))

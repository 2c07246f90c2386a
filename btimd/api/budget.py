"""BudgetService: what load probes put on whom."""

from typing import Final

from btimd.api.auth import Caller
from btimd.api.codec import NotConvertibleError
from btimd.api.convert_budget import BUDGET, SCOPE
from btimd.api.errors import invalid
from btimd.api.pb import budget_pb2 as pb
from btimd.api.requests import bounded, page_limit
from btimd.api.rpc import Service
from btimd.model.budget import BudgetView

_MOST_CHARACTERS: Final = 255


class BudgetServicer:
    """Serves a BudgetView."""

    def __init__(self, view: BudgetView) -> None:
        self._view = view

    async def get_budget(self, request: pb.GetBudgetRequest, _caller: Caller) -> pb.GetBudgetResponse:
        """Return the busiest scopes."""
        try:
            scope = SCOPE.from_pb(request.scope) if request.scope else None
        except NotConvertibleError as error:
            raise invalid("scope", str(error)) from error
        name = bounded("name", request.name, _MOST_CHARACTERS)
        return BUDGET.to_pb(self._view.budget(scope, name, page_limit(request.limit)))


def budget_service(view: BudgetView) -> Service:
    """Return the service of a view."""
    return Service(pb.DESCRIPTOR.services_by_name["BudgetService"], BudgetServicer(view), ("probes",))

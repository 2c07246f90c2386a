"""What a caller asks about the load budget, as model objects."""

from btimd.api.client import Client
from btimd.api.convert_budget import BUDGET, SCOPE
from btimd.api.pb import budget_pb2 as pb
from btimd.model.budget import BudgetReport, BudgetScope


def budget(client: Client, scope: BudgetScope | None = None, name: str = "", limit: int = 0) -> BudgetReport:
    """Return the busiest scopes."""
    number = 0 if scope is None else SCOPE.to_pb(scope)
    request = pb.GetBudgetRequest(scope=number, name=name, limit=limit)  # type: ignore[arg-type]  # a number
    return BUDGET.from_pb(client.call("GetBudget", request))

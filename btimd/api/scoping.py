"""What a caller's scope leaves of figures: rows of a business and a region, and sums over several of them."""

from collections.abc import Sequence
from itertools import product
from typing import Final, Protocol

from btimd.api.auth import Scope
from btimd.api.errors import invalid

MOST_ROWS: Final = 100_000
"""How many rows are looked through for a caller with a scope; what lies beyond is told as `more`."""
_MOST_CELLS: Final = 100


class Placed(Protocol):
    """A row of figures of one business in one region."""

    @property
    def business(self) -> str: ...  # noqa: D102
    @property
    def region(self) -> str: ...  # noqa: D102


def is_inside(scope: Scope, row: Placed) -> bool:
    """Tell whether the figures of a row lie wholly inside."""
    return scope.has_business(row.business) and scope.has_region(row.region)


def rows_to_ask(scope: Scope, limit: int) -> int:
    """Return how many rows to ask a view for: one more than is shown, or, where a scope leaves some out, many."""
    return limit + 1 if scope.is_all else MOST_ROWS


def check_sums(scope: Scope, *, business: str | None, group_by: Sequence[str]) -> None:
    """Refuse a sum over more than a scope covers; raises ApiError that says how to ask instead."""
    if scope.businesses and business is None and "business" not in group_by:
        raise invalid("group_by", f"you see {scope.text()}: name one business, or group by business")
    if scope.regions and "region" not in group_by:
        raise invalid("group_by", f"you see {scope.text()}: group by region")


def cells(scope: Scope, business: str | None, region: str | None) -> list[tuple[str | None, str | None]]:
    """Return what to ask for, one after another, so that nothing else is found; empty where all of it is outside.

    Raises ApiError where a scope has too many parts to ask for each.
    """
    businesses = _named(business, scope.businesses)
    regions = _named(region, scope.regions)
    if len(businesses) * len(regions) > _MOST_CELLS:
        raise invalid("business", f"you see {scope.text()}, too many to list together: name one")
    return list(product(businesses, regions))


def _named(asked: str | None, inside: frozenset[str]) -> Sequence[str | None]:
    if not inside:
        return [asked]
    if asked is None:
        return sorted(inside)
    return [asked] if asked in inside else []

"""Settings of the availability accounts: [sla]."""

from typing import Annotated

from pydantic import Field

from btimd.settings.fields import Duration, Percent, Section


class SlaSettings(Section):
    """What is promised where a business says nothing, and how the accounts are kept."""

    availability_percent: Percent = 99.5
    """Target of a business without its own `availability_percent`."""
    stale_after: Duration = 60.0
    """Without any observation for this long the condition of a business counts as unknown."""
    save_every: Duration = 5.0
    """The accounts are saved this often, and at every change."""
    points_every: Duration = 60.0
    """A point per business is written to the series store this often."""
    months_kept: Annotated[int, Field(ge=1, le=120)] = 13
    """Closed months that are remembered."""

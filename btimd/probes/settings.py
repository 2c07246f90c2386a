"""Settings of the probes: the table [probes] of btimd.toml."""

from typing import Self

from pydantic import Field, model_validator

from btimd.model.indicator import Threshold
from btimd.probes.budget import BudgetLimits
from btimd.settings.fields import Duration, Section


class ProbeSettings(Section):
    """How much load probes may put on anything, and when a key indicator becomes a symptom."""

    light_per_second: float = Field(default=10.0, gt=0, le=1000)
    """Probes per second to one host, of any kind."""
    light_burst: int = Field(default=20, ge=1, le=10_000)
    """Probes to one host that may run at once after a quiet time."""
    heavy_per_ten_seconds: float = Field(default=6.0, ge=0, le=1000)
    """HTTP requests and SQL queries per 10 s to one server (host and port); 0 switches them off."""
    heavy_burst: int = Field(default=6, ge=1, le=10_000)
    """Heavy probes to one server that may run at once after a quiet time."""
    concurrent_per_host: int = Field(default=8, ge=1, le=1000)
    """Probes to one host that may run at the same time."""
    concurrent: int = Field(default=64, ge=1, le=1000)
    """Probes that may run at the same time; each needs a file descriptor."""
    back_off_after: int = Field(default=3, ge=1, le=100)
    """Signs of overload in a row after which heavy probes to a server become rarer."""
    back_off_max: Duration = Field(default=10.0, ge=0)
    """The longest pause between heavy probes to a server in trouble."""
    share_within: Duration = Field(default=1.0, ge=0, le=60)
    """A diagnosis may reuse an answer to the same question that was begun at most so long ago; 0 switches it off."""
    confirm_after: Duration = Field(default=0.3, ge=0.01, le=60)
    """After a bad sample of a key indicator the next one is taken so much later, whatever its period."""
    bad_of: int = Field(default=2, ge=1, le=20)
    """So many bad samples ..."""
    window: int = Field(default=3, ge=1, le=20)
    """... of the last so many are a symptom; when all of them are good again it is cleared."""
    queue_limit: int = Field(default=4096, ge=1, le=1_000_000)
    """Probes that may wait for the budget; more are answered at once with unknown, over-budget."""

    @model_validator(mode="after")
    def _threshold_can_be_met(self) -> Self:
        if self.bad_of > self.window:
            raise ValueError(
                f"bad_of = {self.bad_of} of window = {self.window} can never be met; write bad_of <= window"
            )
        return self

    @property
    def threshold(self) -> Threshold:
        """When a key indicator is a symptom."""
        return Threshold(self.bad_of, self.window)

    @property
    def limits(self) -> BudgetLimits:
        """The load limits."""
        return BudgetLimits(
            light_per_second=self.light_per_second,
            light_burst=self.light_burst,
            heavy_per_ten_seconds=self.heavy_per_ten_seconds,
            heavy_burst=self.heavy_burst,
            concurrent_per_host=self.concurrent_per_host,
            concurrent=self.concurrent,
            back_off_after=self.back_off_after,
            back_off_max_seconds=self.back_off_max,
        )

"""Settings of traffic: [flows] in btimd.toml."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from btimd.flows.deviation import DeviationLimits
from btimd.flows.duplicates import DuplicateLimits, Mode
from btimd.flows.quality import QualityLimits
from btimd.flows.users import UserLimits
from btimd.flows.windows import WindowLimits
from btimd.settings.fields import Duration, Section, SettingsPath


class DuplicateSettings(Section):
    """[flows.duplicates]: flows that several observation points report, so that each counts once."""

    mode: Mode = "auto"
    """`"auto"` looks at one flow in 64, and at all while more than `threshold` of those come twice; `"on"` always
    looks at all, `"off"` at none: for networks in which address spaces overlap"""
    capacity: Annotated[int, Field(ge=1024, le=1 << 26)] = 1 << 20
    """Flows known at a time when all are looked at, 32 octets each; what finds no room is never left out"""
    silence: Annotated[Duration, Field(ge=1, le=86400)] = 180.0
    """A flow counts as its first reporter tells it until that was silent about it for so long; it must be longer than
    the exporters' active timeouts"""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.002
    """Share of duplicates in the sample above which `"auto"` looks at all flows"""
    prefer: tuple[str, ...] = ()
    """Exporters whose reports win over those of others: addresses, or names of `[capture.exporter.NAME]`"""

    def limits(self) -> DuplicateLimits:
        """Return how duplicates are looked for."""
        return DuplicateLimits(self.mode, self.capacity, self.silence, self.threshold, self.prefer)


class QualitySettings(Section):
    """[flows.quality]: how well connections do, per business, place and server, measured on captured packets."""

    grace: Annotated[Duration, Field(ge=0, le=600)] = 3.0
    """How long after its end an interval is waited for; packets that btimd captures itself are known within a second"""
    lateness: Annotated[Duration, Field(ge=0, le=3600)] = 30.0
    """How long after that late records still change an interval; later ones are counted and lost"""
    max_cells: Annotated[int, Field(ge=16, le=1 << 18)] = 2048
    """Most combinations of business, place and server in 10 s; further servers count in their place without being
    named. Up to 9 KB each per 10 s of grace + lateness + 60 s, 0.3 KB where only failed connections were seen"""
    history_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 4000
    """Rows of closed intervals that are kept in memory for views, for each interval length; up to about 10 KB each"""

    def limits(self, future_seconds: float) -> QualityLimits:
        """Return the limits of quality windows."""
        return QualityLimits(self.grace, self.lateness, future_seconds, self.max_cells)


class BaselineSettings(Section):
    """[flows.baselines]: what is usual for each business, and when something is not."""

    enabled: bool = True
    """`false`: nothing is learned, nothing is told"""
    time_zone: str = "UTC"
    """Whose clocks decide what time of day it is: a name such as `"Asia/Shanghai"`; summer time is known"""
    country: str = ""
    """ISO 3166 code of the country whose holidays and make-up workdays count, such as `"CN"`; `""`: none"""
    subdivision: str = ""
    """ISO 3166-2 part of the country, such as `"BY"`"""
    days_file: SettingsPath | None = None
    """Days of your own, one per line, which win over the country's: `2026-05-02 workday`, saturday,
    sunday or holiday"""
    max_series: Annotated[int, Field(ge=6, le=500_000)] = 20_000
    """Most series: a business has up to 6 per region and 6 as a whole. About 3.2 KB each, further ones are counted"""
    least_days: Annotated[int, Field(ge=2, le=30)] = 3
    """On so many days of its kind a time of day must have been seen before anything is told of it"""
    factor: Annotated[float, Field(ge=1, le=10)] = 1.15
    """How many times further off than 499 of 500 intervals something must be; less finds more and errs
    more often"""
    adopt: Annotated[Duration, Field(ge=3600, le=30 * 86400)] = 86400.0
    """What deviates for so long is the new usual"""
    learn_from: Annotated[Duration, Field(ge=0, le=90 * 86400)] = 28 * 86400.0
    """How far back the series store is read at a start without a saved state; `"0s"`: not at all"""
    learn_rows: Annotated[int, Field(ge=1000, le=100_000_000)] = 5_000_000
    """Most rows that are read for this; many series are learned from fewer days"""
    save_every: Annotated[Duration, Field(ge=60, le=86400)] = 1800.0
    """How often what was learned is written to the state directory"""

    def limits(self) -> DeviationLimits:
        """Return when something deviates."""
        return DeviationLimits(factor=self.factor, adopt_after=round(self.adopt / 60))

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f'{value!r} is no time zone; write one such as "Asia/Shanghai"') from error
        return value


class FlowSettings(Section):
    """How traffic is added up. Durations are written with a unit ("10s"), counts are limits of memory."""

    grace: Annotated[Duration, Field(ge=0, le=600)] = 10.0
    """How long after its end an interval is waited for before it is emitted the first time."""
    lateness: Annotated[Duration, Field(ge=0, le=6 * 3600)] = 900.0
    """How long after that late records still change an interval; later ones are counted and lost to windows."""
    future: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    """Records that end later than this after now are counted and lost: the exporter's clock is wrong."""
    max_cells: Annotated[int, Field(ge=16, le=1 << 20)] = 16_384
    """Most pairs of business and place; further places count as unknown place. 64 octets each per interval held."""
    max_users: Annotated[int, Field(ge=1024, le=1 << 24)] = 1 << 21
    """Most pairs of client address and business known at a time. 128 to 144 octets for each address with up to five."""
    user_active: Annotated[Duration, Field(gt=0, le=86400)] = 60.0
    """A user seen within this time is active."""
    user_idle: Annotated[Duration, Field(gt=0, le=86400)] = 600.0
    """A user seen within this time, but not active, is idle; otherwise gone."""
    history_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Rows of closed intervals that are kept in memory for views, for each interval length."""

    duplicates: DuplicateSettings = Field(default_factory=DuplicateSettings)
    quality: QualitySettings = Field(default_factory=QualitySettings)
    baselines: BaselineSettings = Field(default_factory=BaselineSettings)

    def window_limits(self) -> WindowLimits:
        """Return the limits of windows."""
        return WindowLimits(self.grace, self.lateness, self.future, self.max_cells)

    def user_limits(self) -> UserLimits:
        """Return the limits of the table of users."""
        return UserLimits(self.max_users, self.user_active, self.user_idle)

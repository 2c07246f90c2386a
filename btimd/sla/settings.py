"""Settings of the availability accounts and agreements: [sla], [sla.agreement.NAME]."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from btimd.model.agreement import AgreementKind, PeriodKind
from btimd.settings.calendars import Hours, table_name
from btimd.settings.fields import Duration, Percent, Section

_MOST_WINDOWS = 1000


def _zone(value: str) -> str:
    try:
        if value:
            ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'{value!r} is no time zone; write "Asia/Shanghai", "UTC", "Europe/Berlin"') from error
    return value


def _moment(value: Any) -> Any:
    """Take moments only: a number would be read as seconds since 1970, a date as its midnight."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, datetime):
        return value
    raise ValueError(f"{value} is no moment; write 2026-11-29T02:00:00, or with +08:00 behind it")


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("must be longer than nothing")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Targets = dict[Literal["P1", "P2", "P3", "P4", "P5"], Annotated[Duration, AfterValidator(_positive)]]


class MaintenanceTable(Section):
    """[[sla.agreement.NAME.maintenance]]: every week (`days` and `hours`), or once (`from` and `to`)."""

    days: tuple[Weekday, ...] = ()
    """Weekdays of weekly maintenance."""
    hours: tuple[Hours, ...] = ()
    """Its hours on these days."""
    from_: Moment | None = Field(default=None, alias="from")
    """Beginning of maintenance that comes once."""
    to: Moment | None = None
    """Its end."""
    reason: str = ""
    """What is done."""
    reference: str = ""
    """A change request, for example."""
    suppress: bool = False
    """Trouble in it makes no incident either, until it is over."""

    @model_validator(mode="after")
    def _is_weekly_or_once(self) -> Self:
        weekly, once = (bool(self.days), bool(self.hours)), (self.from_ is not None, self.to is not None)
        if (weekly, once) not in {((True, True), (False, False)), ((False, False), (True, True))}:
            raise ValueError(
                'needs days = ["sun"] and hours = ["02:00-04:00"], or from = 2026-11-29T02:00:00 and to = a later one'
            )
        if self.from_ is not None and self.to is not None:
            if (self.from_.tzinfo is None) != (self.to.tzinfo is None):
                raise ValueError("'from' and 'to' must both have +08:00 or the like behind them, or neither")
            if not self.from_ < self.to:
                raise ValueError("'to' is not after 'from'")
        return self


class AgreementTable(Section):
    """[sla.agreement.NAME]: what was agreed with a business, a group inside or a supplier."""

    kind: AgreementKind
    """With a business (`sla`), a group inside (`ola`) or a supplier (`uc`)."""
    title: str = ""
    """What those who are not technicians call it."""
    title_zh: str = ""
    """The same in Chinese."""
    provider: str = ""
    """Who promises: the group (OLA) or the supplier (UC)."""
    customer: str = ""
    """Whom it is promised to."""
    businesses: tuple[str, ...] = ()
    """What an SLA covers."""
    nodes: tuple[str, ...] = ()
    """What an OLA or UC covers, with all that these nodes need."""
    calendar: str = ""
    """Name of a [calendar.NAME], the agreed service time; empty = every hour of every day."""
    availability_percent: Percent
    """The share of the measured service time it works."""
    response: Targets = Field(default_factory=dict)
    """Service time until an incident is taken up, by priority."""
    resolve: Targets = Field(default_factory=dict)
    """Service time until it is resolved, from its beginning, by priority."""
    period: PeriodKind = PeriodKind.MONTH
    """Over which calendar period it is reckoned."""
    timezone: Annotated[str, AfterValidator(_zone)] = ""
    """Whose weeks and months; empty = the calendar's."""
    maintenance: Annotated[tuple[MaintenanceTable, ...], Field(max_length=_MOST_WINDOWS)] = ()
    """When it may be down by agreement, every week or once."""
    exclude_planned: bool = False
    """Outages marked as planned do not count even outside maintenance."""
    draft: bool = False
    """Not agreed yet: reckoned and shown, but no alarms and no promises."""
    valid_from: date | None = None
    """Its first day; none: always."""
    valid_until: date | None = None
    """Its last day; none: for ever."""
    review_on: date | None = None
    """When it is to be talked about again."""

    @field_validator("valid_until")
    @classmethod
    def _ends_after_it_begins(cls, value: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("valid_from")
        if value is not None and begins is not None and value < begins:
            raise ValueError(f"{value} is before valid_from {begins}")
        return value

    @model_validator(mode="after")
    def _covers_what_its_kind_does(self) -> Self:
        if self.kind is AgreementKind.SLA:
            if not self.businesses or self.nodes:
                raise ValueError("an sla covers businesses; write businesses = [...] and no nodes")
        elif not self.nodes or self.businesses:
            raise ValueError(f"an {self.kind} covers nodes; write nodes = [...] and no businesses")
        elif not self.provider:
            raise ValueError(f"an {self.kind} needs its provider; write provider = the name of who promises")
        return self


class BurnSettings(Section):
    """[sla.burn_fast], [sla.burn_slow]: when the use of an error budget is worth an alarm. Times are service time."""

    long: Annotated[Duration, AfterValidator(_positive)]
    """The service time over which so much was used."""
    short: Annotated[Duration, AfterValidator(_positive)]
    """The service time in which it still went on."""
    rate: Annotated[float, Field(gt=0)]
    """As many times as fast as the budget allows."""


class SlaSettings(Section):
    """What is promised where a business says nothing, how the accounts are kept, and what was agreed."""

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
    burn_fast: BurnSettings = BurnSettings(long=3600.0, short=300.0, rate=14.4)
    burn_slow: BurnSettings = BurnSettings(long=21600.0, short=1800.0, rate=6.0)
    burn_every: Annotated[Duration, AfterValidator(_positive)] = 30.0
    """Every agreement is looked at for alarms this often."""
    agreement: dict[Annotated[str, AfterValidator(table_name)], AgreementTable] = Field(default_factory=dict)

"""Settings of incidents and of the targets that are told about them: [itsm] and [itsm.webhook.NAME]."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from btimd.itsm.changes import LifecycleConfig
from btimd.itsm.outbox import DeliveryRules
from btimd.itsm.priority import ImpactLimits, matrix_of
from btimd.settings.fields import Duration, Section, SettingsPath, is_loopback

_ITIL_ROWS: Final = ((1, 2, 3), (2, 3, 4), (3, 4, 5))


def _check_matrix(rows: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
    matrix_of(rows)
    return rows


def _check_url(url: str) -> str:
    """Refuse what is no web address, and secrets where logs could show them. The message never repeats the URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # .port raises where it is none
        (host or "").encode("idna")
    except ValueError as error:
        raise ValueError(f"the url is malformed ({error}); write https://host/path") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"a url with scheme {parts.scheme!r} cannot be called; write https://host/path")
    if not host:
        raise ValueError("the url names no host; write https://host/path")
    if "@" in parts.netloc:
        raise ValueError("the url holds a user or password; requests are signed with secret_file, leave them out")
    if parts.fragment:
        raise ValueError("the url has a #fragment, which is never sent; leave it out")
    return url


class WebhookSettings(Section):
    """A receiver of incidents over HTTP. Every request is signed (docs/webhook.md)."""

    url: Annotated[str, AfterValidator(_check_url), Field(repr=False)]
    """Not in repr: the path of a robot's address is often a secret itself."""
    secret_file: SettingsPath
    """Signs every request."""
    further_secret_files: tuple[SettingsPath, ...] = ()
    """Also sign, while receivers change over to another secret."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    allow_plain_http: bool = False
    timeout: Annotated[Duration, Field(gt=0)] = 30.0
    max_in_flight: Annotated[int, Field(ge=1, le=16)] = 2

    @model_validator(mode="after")
    def _plain_http_is_asked_for(self) -> "WebhookSettings":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.allow_plain_http:
            raise ValueError(
                f"http to {parts.hostname} shows incidents to everybody on the way; "
                "use https, or set allow_plain_http = true"
            )
        return self


class ItsmSettings(Section):
    """How incidents are kept and told."""

    reopen_within: Annotated[Duration, Field(gt=0)] = 86_400.0
    """The same trouble within this time of its resolution reopens the incident; then it is closed for good."""
    auto_resolve: bool = True
    """Resolve what cleared by itself before anybody touched it."""
    seen_again_within: Annotated[Duration, Field(gt=0)] | None = None
    """After a start: trouble of an earlier run that no check has seen again by then counts as cleared. Left out: long
    enough for each key indicator to be asked three times."""
    priority_matrix: Annotated[tuple[tuple[int, int, int], ...], AfterValidator(_check_matrix)] = _ITIL_ROWS
    """Rows: impact high, medium, low. Columns: urgency high, medium, low."""
    users_medium: Annotated[int, Field(ge=1)] = 20
    users_high: Annotated[int, Field(ge=1)] = 200
    regions_high: Annotated[int, Field(ge=1)] = 3
    businesses_high: Annotated[int, Field(ge=1)] = 3
    source: str = "/btimd"
    """The `source` of every CloudEvent; give each btimd its own."""
    settle: Annotated[Duration, Field(ge=0)] = 30.0
    """How long a receiver may still be working on a request whose answer was missed; repeats wait for that."""
    backoff_cap: Annotated[Duration, Field(gt=0)] = 300.0
    """The longest pause between attempts to reach a receiver."""
    webhook: dict[str, WebhookSettings] = Field(default_factory=dict)

    def lifecycle_config(self) -> LifecycleConfig:
        """Return what itsm.lifecycle needs of these."""
        return LifecycleConfig(self.reopen_within, self.auto_resolve, matrix_of(self.priority_matrix))

    def impact_limits(self) -> ImpactLimits:
        """Return what itsm.priority needs of these."""
        return ImpactLimits(self.users_medium, self.users_high, self.regions_high, self.businesses_high)

    def delivery_rules(self) -> DeliveryRules:
        """Return what itsm.outbox needs of these."""
        return DeliveryRules(settle_seconds=self.settle, backoff_cap_seconds=self.backoff_cap)

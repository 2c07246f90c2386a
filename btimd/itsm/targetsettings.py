"""Settings of the systems that incidents are delivered to: [itsm.<kind>.NAME]. Names are unique over all kinds."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from btimd.settings.fields import Duration, Section, SettingsPath, is_loopback

Network = IPv4Network | IPv6Network


def check_url(url: str) -> str:
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
        raise ValueError("the url holds a user or password; put secrets into files (*_file), leave them out")
    if parts.fragment:
        raise ValueError("the url has a #fragment, which is never sent; leave it out")
    return url


def _network(value: Any) -> Network:
    try:
        return ip_network(value)
    except ValueError as error:
        raise ValueError(f'{value!r} is no network ({error}); write "10.2.0.0/16"') from None


def _words(value: Any) -> Any:
    """Let people write numbers where a system calls its states by number."""
    return (
        {key: str(one) if isinstance(one, int) else one for key, one in value.items()}
        if isinstance(value, dict)
        else value
    )


Words = Annotated[dict[str, str], BeforeValidator(_words)]


class TargetSettings(Section):
    """What every target has."""

    timeout: Annotated[Duration, Field(gt=0)] = 30.0
    max_in_flight: Annotated[int, Field(ge=1, le=16)] = 2
    """More at a time make most ticket systems slower, not faster."""
    per_second: Annotated[float, Field(gt=0)] = 10.0
    """Events per second on average."""
    burst: Annotated[int, Field(ge=1)] = 20
    """Events at once after a quiet time."""
    refused_for: Annotated[Duration, Field(ge=0)] = 86_400.0
    """How long an event that is refused is tried again before it becomes a dead letter."""


class HttpTargetSettings(TargetSettings):
    """A target that is reached over HTTP."""

    url: Annotated[str, AfterValidator(check_url), Field(repr=False)]
    """Not in repr: a path may be a secret itself."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    allow_plain_http: bool = False
    networks: tuple[Annotated[Network, BeforeValidator(_network)], ...] = ()
    """Addresses the host may have; left out: any but link-local, multicast and unspecified ones."""
    poll: Annotated[Duration, Field(gt=0)] | None = None
    """How often to ask what people changed there; left out: never."""

    @model_validator(mode="after")
    def _plain_http_is_asked_for(self) -> "HttpTargetSettings":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.allow_plain_http:
            raise ValueError(
                f"http to {parts.hostname} shows incidents to everybody on the way; "
                "use https, or set allow_plain_http = true"
            )
        return self


_RT_STATES: Final = {
    "new": "new", "held": "new", "dispatched": "open", "accepted": "open", "pending": "stalled", "stalled": "open",
    "resolved": "resolved", "closed": "resolved", "cancelled": "rejected", "merged": "resolved", "reopened": "open",
}  # fmt: skip
_RT_PRIORITIES: Final = {"P1": "100", "P2": "80", "P3": "60", "P4": "40", "P5": "20"}
_RT_MEANINGS: Final = {"open": "accept", "resolved": "resolve", "rejected": "cancel"}


class RequestTrackerSettings(HttpTargetSettings):
    """A queue of Request Tracker 5. url: of the web interface, without /REST."""

    token_file: SettingsPath
    """An authentication token of btimd's own user."""
    queue: str
    user: str = "btimd"
    """btimd's own user there, whose changes are not reported back."""
    incident_field: str = "BtimIncident"
    seq_field: str = "BtimSeq"
    states: Words = Field(default_factory=lambda: dict(_RT_STATES))
    priorities: Words = Field(default_factory=lambda: dict(_RT_PRIORITIES))
    meanings: Words = Field(default_factory=lambda: dict(_RT_MEANINGS))


class RedmineSettings(HttpTargetSettings):
    """A project of Redmine. States, priorities: ids: issue_statuses.json, enumerations/issue_priorities.json."""

    key_file: SettingsPath
    """The API key of btimd's own user."""
    project: str
    tracker_id: Annotated[int, Field(ge=1)]
    user: str = "btimd"
    """The name of btimd's own user as Redmine shows it, whose changes are not reported back."""
    incident_field: Annotated[int, Field(ge=1)]
    """Id of the custom field for the incident's id; it must be used as a filter."""
    seq_field: Annotated[int, Field(ge=1)]
    """Id of the custom field for the event's number."""
    states: Words
    priorities: Words = Field(default_factory=dict)
    meanings: Words = Field(default_factory=dict)

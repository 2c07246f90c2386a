"""Settings of the systems that incidents are delivered to: [itsm.<kind>.NAME]. Names are unique over all kinds."""

from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from btimd.settings.fields import Duration, HostPort, Section, SettingsPath, is_loopback


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


def check_address(value: str) -> str:
    """Refuse what is no mail address, and what would end a header line."""
    local, at, domain = value.rpartition("@")
    if not (local and at and domain) or any(c.isspace() or not c.isprintable() or c in '<>,;:"' for c in value):
        raise ValueError(f'{value!r} is no mail address; write "desk@example.com"')
    return value


def _check_network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError as error:
        raise ValueError(f'{value!r} is no network ({error}); write "10.2.0.0/16"') from None
    return value


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
    """For a whole request."""
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
    """Allow http to another machine: everybody on the way can read incidents."""
    networks: tuple[Annotated[str, AfterValidator(_check_network)], ...] = ()
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


class TwoWaySettings(HttpTargetSettings):
    """A target that tells by itself what people changed there, in signed calls to POST /callbacks/NAME."""

    callback_secret_files: tuple[SettingsPath, ...] = ()
    """Secrets that sign those calls; any of them, so that one can be changed. Left out: none are taken."""


_RT_STATES: Final = {
    "new": "new", "held": "new", "dispatched": "open", "accepted": "open", "pending": "stalled", "stalled": "open",
    "resolved": "resolved", "closed": "resolved", "cancelled": "rejected", "merged": "resolved", "reopened": "open",
}  # fmt: skip
_RT_PRIORITIES: Final = {"P1": "100", "P2": "80", "P3": "60", "P4": "40", "P5": "20"}
_RT_MEANINGS: Final = {"open": "accept", "resolved": "resolve", "rejected": "cancel"}


class RequestTrackerSettings(TwoWaySettings):
    """A queue of Request Tracker 5. url: of the web interface, without /REST."""

    token_file: SettingsPath
    """An authentication token of btimd's own user."""
    queue: str
    """Where tickets are made."""
    user: str = "btimd"
    """btimd's own user there, whose changes are not reported back."""
    incident_field: str = "BtimIncident"
    """Custom field for the incident's id."""
    seq_field: str = "BtimSeq"
    """Custom field for the event's number."""
    states: Words = Field(default_factory=lambda: dict(_RT_STATES))
    """What our states are called there."""
    priorities: Words = Field(default_factory=lambda: dict(_RT_PRIORITIES))
    """What our priorities are called there."""
    meanings: Words = Field(default_factory=lambda: dict(_RT_MEANINGS))
    """What their states mean here: accept, resolve, close, reopen, cancel."""


class RedmineSettings(TwoWaySettings):
    """A project of Redmine. States, priorities: ids: issue_statuses.json, enumerations/issue_priorities.json."""

    key_file: SettingsPath
    """The API key of btimd's own user."""
    project: str
    """Where tickets are made."""
    tracker_id: Annotated[int, Field(ge=1)]
    """Kind of the issues."""
    user: str = "btimd"
    """The name of btimd's own user as Redmine shows it, whose changes are not reported back."""
    incident_field: Annotated[int, Field(ge=1)]
    """Id of the custom field for the incident's id; it must be used as a filter."""
    seq_field: Annotated[int, Field(ge=1)]
    """Id of the custom field for the event's number."""
    states: Words
    """What our states are called there."""
    priorities: Words = Field(default_factory=dict)
    """What our priorities are called there."""
    meanings: Words = Field(default_factory=dict)
    """What their states mean here: accept, resolve, close, reopen, cancel."""


_SERVICENOW_STATES: Final = {
    "new": "1", "held": "1", "dispatched": "1", "accepted": "2", "pending": "3", "stalled": "1", "resolved": "6",
    "closed": "7", "cancelled": "8", "merged": "7", "reopened": "2",
}  # fmt: skip
_SERVICENOW_MEANINGS: Final = {"2": "accept", "6": "resolve", "7": "close", "8": "cancel"}
_JIRA_STATES: Final = {
    "accepted": "In Progress", "resolved": "Done", "closed": "Done", "cancelled": "Done", "merged": "Done",
    "reopened": "To Do",
}  # fmt: skip
_JIRA_MEANINGS: Final = {"In Progress": "accept", "Done": "resolve"}


class ServiceNowSettings(TwoWaySettings):
    """The incident table of a ServiceNow instance. url: https://INSTANCE.service-now.com."""

    user: str
    """btimd's own user, whose changes are not reported back."""
    password_file: SettingsPath
    """The user's password."""
    assignment_group: str = ""
    """Who gets new records."""
    close_code: str = "Solved (Permanently)"
    """What a resolved record says of its solution."""
    states: Words = Field(default_factory=lambda: dict(_SERVICENOW_STATES))
    """What our states are called there."""
    meanings: Words = Field(default_factory=lambda: dict(_SERVICENOW_MEANINGS))
    """What their states mean here: accept, resolve, close, reopen, cancel."""


class ServiceNowEventsSettings(HttpTargetSettings):
    """ServiceNow Event Management. url: of the instance, or of a MID server's listener."""

    user: str
    """Who btimd is there."""
    password_file: SettingsPath
    """The user's password."""
    source: str = "btimd"
    """Who the events say they come from."""


class JiraSettings(TwoWaySettings):
    """A project of Jira or Jira Service Management."""

    token_file: SettingsPath
    """An API token (cloud, with user_email) or a personal access token (data center)."""
    user_email: str = ""
    """Whose token it is; only in the cloud."""
    user: str
    """btimd's own account id (cloud) or name, whose changes are not reported back."""
    project: str
    """Where tickets are made."""
    issue_type: str = "Task"
    """Kind of the issues."""
    deployment: Literal["cloud", "data-center"] = "cloud"
    """Atlassian's own, or one in the house."""
    states: Words = Field(default_factory=lambda: dict(_JIRA_STATES))
    """What our states are called there."""
    priorities: Words = Field(default_factory=dict)
    """What our priorities are called there."""
    meanings: Words = Field(default_factory=lambda: dict(_JIRA_MEANINGS))
    """What their states mean here: accept, resolve, close, reopen, cancel."""

    @model_validator(mode="after")
    def _cloud_needs_an_address(self) -> "JiraSettings":
        if self.deployment == "cloud" and not self.user_email:
            raise ValueError('the cloud wants the e-mail address of the token\'s user; set user_email = "..."')
        return self


class JsmAlertsSettings(HttpTargetSettings):
    """Alerts of Jira Service Management Operations, by an API integration."""

    url: Annotated[str, AfterValidator(check_url), Field(repr=False)] = "https://api.atlassian.com"
    key_file: SettingsPath
    """The GenieKey of the integration."""
    source: str = "btimd"
    """Who the events say they come from."""
    tags: tuple[str, ...] = ()
    """Given to every alert."""


_PAGERDUTY_MEANINGS: Final = {"acknowledged": "accept", "resolved": "resolve", "reopened": "reopen"}


class PagerDutySettings(TwoWaySettings):
    """A service of PagerDuty, by an Events API v2 integration."""

    url: Annotated[str, AfterValidator(check_url), Field(repr=False)] = "https://events.pagerduty.com"
    key_file: SettingsPath
    """The routing (integration) key."""
    source: str = "btimd"
    """Who the events say they come from."""
    meanings: Words = Field(default_factory=lambda: dict(_PAGERDUTY_MEANINGS))
    """What their states mean here: accept, resolve, close, reopen, cancel."""


class AlertmanagerSettings(HttpTargetSettings):
    """A Prometheus Alertmanager. Open incidents are sent again every minute, as it forgets them otherwise."""

    password_file: SettingsPath | None = None
    """The user's password."""
    user: str = ""
    """Who btimd is there."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Added to every alert, for its routes."""


class MailSettings(TargetSettings):
    """A mailbox or list that gets a thread per incident."""

    server: HostPort
    """Where it listens."""
    security: Literal["tls", "starttls", "none"] = "starttls"
    """TLS from the first octet, after STARTTLS, or none (only on this machine)."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    user: str = ""
    """Who btimd is there."""
    password_file: SettingsPath | None = None
    """The user's password."""
    sender: Annotated[str, AfterValidator(check_address)]
    """Who the mails come from; the part behind @ also names the threads."""
    recipients: Annotated[tuple[Annotated[str, AfterValidator(check_address)], ...], Field(min_length=1)]
    """Who is written to."""

    @model_validator(mode="after")
    def _plain_text_stays_here(self) -> "MailSettings":
        if self.security == "none" and not is_loopback(self.server[0]):
            raise ValueError('mail without TLS goes to this machine only; set security = "starttls"')
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file belong together; give both or none")
        return self


class SyslogSettings(TargetSettings):
    """A syslog server that takes RFC 5424 over TLS."""

    server: HostPort
    """Where it listens."""
    ca_file: SettingsPath | None = None
    """Certificate authorities to trust instead of the system's."""
    certificate_file: SettingsPath | None = None
    """btimd's own certificate, where the server asks for one, with key_file."""
    key_file: SettingsPath | None = None
    """The key of certificate_file."""
    hostname: str = "btimd"
    """What records say of where they come from."""


class SnmpSettings(TargetSettings):
    """A manager that takes SNMP version 3 INFORMs; docs/BTIMD-MIB.txt says what is in them."""

    server: HostPort
    """Where it listens."""
    user: str
    """Who btimd is there."""
    authentication: Literal["SHA", "SHA-256", "SHA-512"] = "SHA-256"
    """How messages are signed."""
    authentication_file: SettingsPath
    """The password that signs."""
    privacy: Literal["AES", "AES-256"] = "AES"
    """How messages are encrypted."""
    privacy_file: SettingsPath
    """The password that encrypts."""


class ProfileSettings(TwoWaySettings):
    """A ticket system that a file describes (docs/delivery.md), as those in config/profiles."""

    profile: SettingsPath
    """The file that describes the system."""
    user: str = ""
    """Who btimd is there."""
    token_file: SettingsPath
    """What the profile's templates name $token."""
    meanings: Words = Field(default_factory=dict)
    """What their states mean here: accept, resolve, close, reopen, cancel."""

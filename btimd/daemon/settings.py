"""The root settings: the sum of the packages' settings."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from btimd.api.settings import ApiSettings
from btimd.capture.settings import CaptureSettings
from btimd.flows.settings import FlowSettings
from btimd.itsm.knowledgesettings import KnowledgeSettings, ProblemSettings, SurveySettings
from btimd.itsm.settings import ItsmSettings
from btimd.probes.settings import ProbeSettings
from btimd.rca.settings import RcaSettings
from btimd.settings.calendars import CalendarTables
from btimd.settings.fields import Section
from btimd.sla.settings import SlaSettings
from btimd.store.settings import StoreSettings


class DaemonSettings(Section):
    """[daemon]: where things are. Relative paths start at the folder of btimd.toml."""

    state_directory: Path = Path("/var/lib/btimd")
    services: Path = Path("services.toml")
    ip_plan: Path = Path("ipplan.csv")
    people: Path = Path("people.toml")
    """Persons, groups, escalation paths; without the file nobody is sent: incidents wait until somebody takes them."""
    rota: Path = Path("rota.toml")
    """Who is on duty when; without the file all members of a group are, in their working hours."""
    rota_calendars: Path = Path("calendars")
    """The only directory from which calendars that rota.toml names are read."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class RootSettings(Section):
    """The whole of btimd.toml."""

    daemon: DaemonSettings = Field(default_factory=DaemonSettings)
    capture: CaptureSettings = Field(default_factory=CaptureSettings)
    flows: FlowSettings = Field(default_factory=FlowSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    probes: ProbeSettings = Field(default_factory=ProbeSettings)
    rca: RcaSettings = Field(default_factory=RcaSettings)
    itsm: ItsmSettings = Field(default_factory=ItsmSettings)
    knowledge: KnowledgeSettings = Field(default_factory=KnowledgeSettings)
    problem: ProblemSettings = Field(default_factory=ProblemSettings)
    survey: SurveySettings = Field(default_factory=SurveySettings)
    sla: SlaSettings = Field(default_factory=SlaSettings)
    calendar: CalendarTables = Field(default_factory=dict)
    api: ApiSettings = Field(default_factory=ApiSettings)

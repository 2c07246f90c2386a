"""Duty and dispatch as a caller asks for them."""

from btimd.api.client import Client, Page
from btimd.api.codec import timestamp_of_seconds
from btimd.api.convert_duty import CANDIDATES, DISPATCH_EXPLAINED, GROUP_DUTY, PERSON_LOAD, ROTA_SPAN
from btimd.api.pb import duty_pb2 as pb
from btimd.model.dutyview import Candidates, DispatchExplained, GroupDuty, PersonLoad, RotaSpan
from btimd.model.units import UnixSeconds


def get_duty(client: Client, group: str = "", at: UnixSeconds | None = None) -> Page[GroupDuty]:
    """Return who is there."""
    request = pb.GetDutyRequest(group=group, at=None if at is None else timestamp_of_seconds(at))
    return client.page("GetDuty", request, "groups", GROUP_DUTY.from_pb)


def get_rota(client: Client, group: str = "", at: UnixSeconds | None = None, days: int = 0) -> RotaSpan:
    """Return the rota of some days."""
    request = pb.GetRotaRequest(group=group, at=None if at is None else timestamp_of_seconds(at), days=days)
    return ROTA_SPAN.from_pb(client.call("GetRota", request))


def explain_dispatch(client: Client, incident_id: str) -> Page[DispatchExplained]:
    """Return why orders went to whom, oldest first."""
    request = pb.ExplainDispatchRequest(incident_id=incident_id)
    return client.page("ExplainDispatch", request, "decisions", DISPATCH_EXPLAINED.from_pb)


def transfer_candidates(client: Client, incident_id: str) -> Candidates:
    """Return who could get an incident now."""
    request = pb.ListTransferCandidatesRequest(incident_id=incident_id)
    return CANDIDATES.from_pb(client.call("ListTransferCandidates", request))


def duty_load(client: Client, at: UnixSeconds | None = None, weeks: int = 0) -> Page[PersonLoad]:
    """Return how much everybody has, by week and person."""
    request = pb.ListDutyLoadRequest(at=None if at is None else timestamp_of_seconds(at), weeks=weeks)
    return client.page("ListDutyLoad", request, "people", PERSON_LOAD.from_pb)

import pytest

from btimd.lab.enterprise import Enterprise
from btimd.lab.faults import FAULTS, Condition, find_fault, processes_on, worst
from tests.lab.idletime import in_idle_time
from tests.lab.observe import QUICK, observe

_OFFICE_503 = {"erp page": "HTTP 503", "erp-app data": "HTTP 503", "hr page": "HTTP 503", "hr-app data": "HTTP 503"}
_NO_NAMES = dict.fromkeys(("erp page", "hr page", "bank page"), "no address")
_NAMES = ("dns1", "name-erp", "name-hr", "name-bank")

VISIBLE = {
    "db-dead": _OFFICE_503 | {"db1 sql": "refused"},
    "db-hung": _OFFICE_503 | {"db1 sql": "silent"},
    "db-slow": dict.fromkeys(("erp page", "erp-app data", "hr page", "hr-app data", "db1 sql"), "slow"),
    "db-error": dict.fromkeys(_OFFICE_503, "HTTP 500") | {"db1 sql": "SQLSTATE 53100"},
    "app-error": dict.fromkeys(("erp page", "erp-app data", "erp-app alive"), "HTTP 500"),
    "app-hung": {"erp page": "HTTP 504", "erp-app data": "silent", "erp-app alive": "silent"},
    "app-slow": dict.fromkeys(("bank page", "bank-app data", "bank-app alive"), "slow"),
    "app-dead": {"bank page": "HTTP 502", "bank-app data": "refused", "bank-app alive": "refused"},
    "web-dead": {"hr page": "refused", "hr-web alive": "refused"},
    "web-hung": {"bank page": "silent", "bank-web alive": "silent"},
    "dns-record-gone": {"name-erp": "NXDOMAIN", "erp page": "no address"},
    "dns-record-wrong": {"name-bank": "wrong: 127.20.0.1", "bank page": "refused"},
    "dns-dead": _NO_NAMES | dict.fromkeys(_NAMES, "refused"),
    "dns-hung": dict.fromkeys((*_NAMES, *_NO_NAMES), "silent"),
    "host-down": _OFFICE_503 | {"db1 sql": "refused", "host-db1 agent": "refused"},
    "app-host-down": {"erp page": "HTTP 502", "hr page": "HTTP 502"}
    | dict.fromkeys(("erp-app data", "erp-app alive", "hr-app data", "hr-app alive", "host-app1 agent"), "refused"),
    "host-power-off": dict.fromkeys(("bank page", "bank-web alive", "host-web2 agent"), "silent"),
}


def test_every_fault_has_its_visible_effect_written_down() -> None:
    assert VISIBLE.keys() == FAULTS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
@in_idle_time
async def test_a_fault_shows_at_exactly_these_places_and_is_gone_after_healing(name: str) -> None:
    async with Enterprise(QUICK) as enterprise:
        # A first look leaves the applications with open sessions, which must be hit too.
        assert await observe(enterprise) == {}
        assert (await enterprise.inject(name)).name == name
        assert await observe(enterprise) == VISIBLE[name]
        await enterprise.heal()
        assert await observe(enterprise) == {}


@pytest.mark.parametrize("name", FAULTS)
def test_the_businesses_of_a_fault_are_those_whose_page_suffers(name: str) -> None:
    suffering = {place.split()[0] for place in VISIBLE[name] if place.endswith(" page")}
    assert suffering == set(FAULTS[name].businesses)


@in_idle_time
async def test_of_two_faults_one_can_be_healed_and_the_other_stays() -> None:
    async with Enterprise(QUICK) as enterprise:
        await enterprise.inject("db-dead")
        await enterprise.inject("host-down")
        await enterprise.inject("dns-record-gone")
        assert enterprise.faults == ("db-dead", "host-down", "dns-record-gone")
        await enterprise.heal("host-down")
        assert await observe(enterprise) == VISIBLE["db-dead"] | VISIBLE["dns-record-gone"]


def test_a_host_is_everything_that_runs_on_it() -> None:
    assert processes_on("host-app1") == ("erp-app", "hr-app", "host-app1-agent")
    assert processes_on("host-db1") == ("db1", "host-db1-agent")


def test_the_worst_of_several_conditions_counts() -> None:
    assert worst([]) is Condition.WELL
    assert worst([Condition.HUNG, Condition.SLOW]) is Condition.HUNG
    assert worst([Condition.ERROR, Condition.DEAD]) is Condition.DEAD


def test_a_fault_that_does_not_exist_is_refused_with_the_list_of_those_that_do() -> None:
    with pytest.raises(ValueError, match="no fault 'meteor'; known: db-dead, db-hung"):
        find_fault("meteor")

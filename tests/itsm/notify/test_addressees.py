from dataclasses import replace
from types import MappingProxyType

import pytest

from btimd.itsm.lifecycletable import TABLE
from btimd.itsm.notify.addressees import (
    is_called,
    is_order,
    mail_plan,
    matter_of,
    number_of,
    order_of,
    plan_by,
    recipient_of,
    reporter_recipient,
    unserved,
)
from btimd.itsm.notify.ladder import SCREEN, Channel
from btimd.itsm.notify.words import NEWS, STATUS
from btimd.model.duty import Group, People, Person, PersonContact
from btimd.model.incident import Dispatch, ImpactAssessment
from btimd.model.notification import Contact, Means, NoticeKind, QuietHours, Recipient
from btimd.model.ports import Telling, TellKind
from tests.store.examples import incident

CHANNELS = (
    SCREEN, Channel("noc", Means.IM), Channel("dev", Means.IM), Channel("gw", Means.SMS), Channel("corp", Means.EMAIL),
)  # fmt: skip
KINDS = {"noc": "wecom", "dev": "wecom"}
ANN = Person("ann", "Ann", name_zh="安", language="zh", timezone="Asia/Shanghai", contacts=(
    PersonContact("mail", "ann@corp.test", verified=True), PersonContact("sms", "+86 138-0013 8000", verified=True),
    PersonContact("wecom", "ann.w"), PersonContact("dev", "U1", verified=True, quiet=(QuietHours(0, 360),)),
    PersonContact("voice", "+86 138 0013 8000"), PersonContact("screen", "-"),
))  # fmt: skip


def telling(kind: TellKind, what: str) -> Telling:
    return Telling("INC-1.2.1", "INC-1", 2, kind, "ann", what, "", 0.0)


def test_a_person_is_reached_by_what_their_contacts_name() -> None:
    assert recipient_of(ANN, CHANNELS, KINDS) == Recipient("ann", "安", "zh", "Asia/Shanghai", (
        Contact(Means.EMAIL, "ann@corp.test", verified=True),
        Contact(Means.SMS, "+8613800138000", verified=True),
        Contact(Means.IM, "ann.w", channel="noc"), Contact(Means.IM, "ann.w", channel="dev"),
        Contact(Means.IM, "U1", verified=True, quiet=(QuietHours(0, 360),), channel="dev"),
    ))  # fmt: skip


def test_what_nothing_carries_and_who_is_not_named_is_told_to_the_operator() -> None:
    bob = Person("bob", "Bob", groups=MappingProxyType({"noc": 1}))
    people = People(MappingProxyType({"ann": ANN, "bob": bob}), MappingProxyType({"noc": Group("noc", "NOC")}))
    unverified = "person ann: contact ann.w is not verified and never used;"
    assert unserved(people, CHANNELS, KINDS, ["cat"]) == [
        f"{unverified} try it with btimctl contact test ann, then set verified = true",
        "person ann: nothing carries voice (contact +86 138 0013 8000); configure a channel for it under [itsm.notify]",
        "person bob: can be reached by the screen only; give a verified contact",
        "group noc has no lead; the centre is told in their place",
        "itsm.notify.centre: no person cat in people.toml",
        "itsm.notify.centre names nobody; nobody hears of what nobody can be given",
    ]
    assert unserved(People(), CHANNELS, KINDS, ()) == []


def test_an_order_says_what_the_incident_says_and_its_limit_only_while_it_is_the_order() -> None:
    made = Dispatch("INC-1/2", 2, 1, 1, "ann", "noc", False, 100.0, 400.0)
    row = replace(
        incident("INC-1"), dispatch=made, assessment=ImpactAssessment(("erp", "hr"), ("north",), 7), reporter="",
    )  # fmt: skip
    order = order_of(row, names=str.upper, source="RCA", dispatch_id="INC-1/2")
    assert (order.business, order.region, order.users, order.reporter) == ("ERP、HR", "north", 7, "btimd")
    assert (order.accept_by, order.dispatch_id, order.source) == (400.0, "INC-1/2", "RCA")
    assert order_of(row, names=str, source="RCA").accept_by is None


@pytest.mark.parametrize(
    ("written", "called"),
    [("1122-0007", True), ("20261122-0007", True), ("INC-20261122-0007", True), ("0007", False), ("1122-0008", False)],
)
def test_people_call_incidents_by_day_and_number(written: str, *, called: bool) -> None:
    assert number_of("INC-20261122-0007") == "1122-0007"
    assert is_called("INC-20261122-0007", written) is called


def test_everything_that_the_life_cycle_tells_has_words() -> None:
    for row in TABLE:
        for kind, what in row.tells:
            matter = matter_of(telling(kind, what))
            if what == "survey":
                assert matter is None
                continue
            assert matter is not None, what
            known = STATUS if matter[0] is NoticeKind.STATUS else NEWS
            assert matter[1] in known["zh"], what
    for what in ("priority-raised", "stalled", "waits", "not-reached"):
        assert matter_of(telling(TellKind.CENTRE, what)) == (NoticeKind.NEWS, what)
        assert what in NEWS["en"]
    assert is_order(telling(TellKind.REMINDER, "reminder"))
    assert not is_order(telling(TellKind.RECALL, "timeout"))


def test_a_reporter_is_written_to_at_their_own_address_or_at_a_verified_one() -> None:
    people = People(MappingProxyType({"ann": ANN}))

    def found(reporter: str) -> Recipient | None:
        return reporter_recipient(reporter, people, CHANNELS, KINDS, language="en", zone="UTC")

    mail = Contact(Means.EMAIL, "ann@corp.test", verified=True)
    assert found("ann") == Recipient("ann", "安", "zh", "Asia/Shanghai", (mail,))
    assert found("ann@corp.test") == found("ann")
    other = Contact(Means.EMAIL, "eve@else.test", verified=True)
    assert found("eve@else.test") == Recipient("eve@else.test", "eve@else.test", "en", "UTC", (other,))
    assert found("noc") is None


def test_a_mail_goes_by_a_server_that_works_where_there_is_one() -> None:
    person = Recipient("eve", "Eve", contacts=(Contact(Means.EMAIL, "eve@else.test", verified=True),))
    two = (*CHANNELS, Channel("spare", Means.EMAIL))
    assert [one.channel.name for one in mail_plan(person, two, {"corp"}, 9.0).sends] == ["spare"]
    assert [one.channel.name for one in mail_plan(person, CHANNELS, {"corp"}, 9.0).sends] == ["corp"]
    assert mail_plan(person, (SCREEN,), (), 9.0).alarm == "no mail server is configured"
    assert plan_by([(person.contacts[0], CHANNELS[4])], 3, 9.0).round == 3

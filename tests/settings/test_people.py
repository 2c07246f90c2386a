"""people.toml -> people."""

from datetime import date
from pathlib import Path

import pytest

from btimd.model.duty import (
    CENTRE,
    LevelLimits,
    People,
    PersonContact,
    Supplier,
    Support,
    WorkingHours,
)
from btimd.model.incident import Priority
from btimd.model.notification import QuietHours
from btimd.settings.people import load_people
from btimd.settings.report import SettingsError

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "config" / "people.toml"
SMALL = """\
[person.ann]
name = "Ann"
groups = { noc = 1 }
[group.noc]
name = "NOC"
[path.usual]
levels = [{ group = "noc" }]
[class.default]
path = "usual"
"""


def load(tmp_path: Path, text: str, **known: list[str]) -> People:
    file = tmp_path / "people.toml"
    file.write_text(text, encoding="utf-8")
    return load_people(file, **known)


def complaints(tmp_path: Path, text: str, **known: list[str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, **known)
    return [str(problem) for problem in caught.value.problems]


def test_the_sample_is_right() -> None:
    people = load_people(SAMPLE, nodes=["db1"], businesses=[])
    person = people.persons["li.na"]

    assert (person.name_in("zh"), person.name_in("en"), person.timezone, person.capacity) == (
        "李娜", "Li Na", "Asia/Shanghai", 3.0,
    )  # fmt: skip
    assert person.contacts[1] == PersonContact(
        "sms", "+86 138 0013 8001", verified=True, quiet=(QuietHours(1320, 420),)
    )
    assert people.persons["zhang.min"].hours == (WorkingHours(frozenset(range(5)), 540, 1080),)
    assert [one.id for one in people.members("database")] == ["li.na", "zhang.min"]
    assert [one.id for one in people.members("database", frozenset({2}))] == ["zhang.min"]
    assert people.groups["noc"].name_in("zh") == "网络运行中心"
    assert people.suppliers["dbhelp"] == Supplier(
        "dbhelp", "Database Help Ltd", "数据库服务公司", "+86 400 000 0000", "", "https://support.example.org", "7x24", "DB-2026-17", "4711",
        date(2027, 3, 31), "ask for second line at once",
    )  # fmt: skip
    assert people.support_of(frozenset({"db1"})) == (
        Support("erp-database", ("db1",), (), "dbhelp", "database", ("zhang.min",), "SN 08-15", "runs in rack 7; key at the gate"),
    )  # fmt: skip
    assert people.support_of(frozenset({"db2"}), frozenset({"erp"})) == ()


def test_a_category_finds_its_class_and_its_path_by_priority() -> None:
    people = load_people(SAMPLE)

    def path(category: str, priority: Priority) -> str:
        found = people.path_of(category, priority)
        return found.id if found else ""

    assert [work.id for category in ("database.oracle.lock", "database", "network", "", "databases") if (work := people.class_of(category))] == [
        "database", "database", "network", "default", "default",
    ]  # fmt: skip
    assert (path("database.oracle", Priority.P3), path("database", Priority.P1), path("", Priority.P3)) == (
        "database", "usual", "usual",
    )  # fmt: skip
    assert People().class_of("db") is None
    assert People().path_of("db", Priority.P1) is None


def test_a_level_says_its_limits_else_the_group_else_they_are_as_usual() -> None:
    people = load_people(SAMPLE)
    usual, database = people.paths["usual"], people.paths["database"]

    assert people.limits(usual, 1, Priority.P1) == LevelLimits(300.0, 180.0, 3, 2)
    assert people.limits(usual, 2, Priority.P1) == LevelLimits(900.0, 300.0, 2, CENTRE)
    assert people.limits(database, 1, Priority.P2) == LevelLimits(600.0, 200.0, 2, 2)
    assert people.limits(database, 1, Priority.P4) == LevelLimits(7200.0, 2400.0, 2, 2)
    assert people.limits(database, 2, Priority.P5) == LevelLimits(14400.0, 4800.0, 3, CENTRE)
    assert people.limits(database, 3, Priority.P5) is None


def test_paths_can_differ_by_agreement(tmp_path: Path) -> None:
    text = SMALL + 'by_agreement = { gold = "fast" }\n[path.fast]\nlevels = [{ group = "noc" }]\n'
    people = load(tmp_path, text, agreements=["gold"])

    assert [path.id for agreement in ("gold", "tin", "") if (path := people.path_of("x", Priority.P3, agreement))] == [
        "fast", "usual", "usual",
    ]  # fmt: skip
    assert complaints(tmp_path, text, agreements=["silver"]) == [
        "people.toml:10: class.default.by_agreement.gold: no agreement 'gold'; known: silver"
    ]


def test_the_sender_of_a_mail_is_found_by_verified_addresses_of_one_person() -> None:
    people = load_people(SAMPLE)

    found = people.person_at("LI.NA@example.org")
    assert found is not None
    assert found.id == "li.na"
    assert people.person_at("nobody@example.org") is None


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[persons.x]
[person.ann]
name = " "
groups = { nok = 1, noc = 0 }
skills = { net = 1.5, dbx = 0.5 }
timezone = "Asia/Shanghei"
contacts = [
  { means = "mail", address = "ann" },
  { means = "sms", address = "call me" },
  { means = "SMS", address = "1" },
]
[person.bob]
name = "Bob"
language = "fr"
capacity = 0
hours = [{ days = ["monday"], from = "9", to = "25:00" }]
[group.noc]
name = "NOC"
lead = "cem"
accept = { P9 = "5m" }
[path.usual]
levels = [{ group = "noc", members = [3], forced_to = 1 }, { group = "tech", rota = "tecj" }]
[path.empty]
levels = []
[class.net]
path = "usul"
effort = "0s"
by_priority = { P7 = "usual" }
[supplier.s]
name = "S"
[support.none]
[support.odd]
nodes = ["db2"]
supplier = "t"
group = "g"
persons = ["eve"]
"""
    assert complaints(tmp_path, text, nodes=["db1"]) == [
        "people.toml:1: persons: unknown table; did you mean 'person'?",
        "people.toml:3: person.ann.name: is empty; write a name",
        "people.toml:4: person.ann.groups.noc: 0: input should be greater than or equal to 1",
        "people.toml:4: person.ann.groups.nok: no group 'nok'; did you mean 'noc'?",
        "people.toml:5: person.ann.skills.dbx: no class 'dbx'; known: net",
        "people.toml:5: person.ann.skills.net: 1.5: input should be less than or equal to 1",
        "people.toml:6: person.ann.timezone: 'Asia/Shanghei' is no time zone; write a name of the IANA list, such as \"Asia/Shanghai\"",
        "people.toml:8: person.ann.contacts[0]: 'ann' is no mail address; write name@example.org",
        "people.toml:9: person.ann.contacts[1]: 'call me' is no telephone number; write \"+86 138 0013 8000\"",
        'people.toml:10: person.ann.contacts[2]: \'SMS\' is no means; write a word such as "mail", "sms", "voice" or "wecom"',
        "people.toml:14: person.bob.language: 'fr' is not possible; write 'zh' or 'en'",
        "people.toml:15: person.bob.capacity: 0: input should be greater than 0",
        'people.toml:16: person.bob.hours[0].days: \'monday\' is no day; write "daily", or a list of mon, tue, wed, thu, fri, sat, sun and "mon-fri"',
        'people.toml:16: person.bob.hours[0].from: \'9\' is no time of day; write "08:00", up to "24:00"',
        'people.toml:16: person.bob.hours[0].to: \'25:00\' is no time of day; write "08:00", up to "24:00"',
        "people.toml:19: group.noc.lead: no person 'cem'; known: ann, bob",
        "people.toml:20: group.noc.accept: 'P9' is no priority; write P1, P2, P3, P4, P5",
        'people.toml:22: path.usual.levels[0].forced_to: a forced escalation goes up: write a level from 2 to 2, or "centre"',
        "people.toml:22: path.usual.levels[1].group: no group 'tech'; known: noc",
        "people.toml:22: path.usual.levels[1].rota: no group 'tecj'; known: noc",
        "people.toml:24: path.empty.levels: is empty; write at least one",
        "people.toml:25: class: [class.default] is missing; without it incidents of other classes would find nobody",
        "people.toml:26: class.net.path: no path 'usul'; did you mean 'usual'?",
        "people.toml:27: class.net.effort: must be longer than nothing",
        "people.toml:28: class.net.by_priority.P7: 'P7' is no priority; write P1, P2, P3, P4, P5",
        "people.toml:29: supplier.s: no [support.ID] names it; nobody would be told of it",
        "people.toml:31: support.none: helps with nothing; name nodes or businesses",
        "people.toml:31: support.none: names nobody who helps; write a supplier, a group or persons",
        "people.toml:33: support.odd.nodes[0]: no node 'db2'; did you mean 'db1'?",
        "people.toml:34: support.odd.supplier: no supplier 't'; known: s",
        "people.toml:35: support.odd.group: no group 'g'; known: noc",
        "people.toml:36: support.odd.persons[0]: no person 'eve'; known: ann, bob",
    ]


def test_a_time_to_accept_is_one_for_all_or_by_priority(tmp_path: Path) -> None:
    assert complaints(tmp_path, SMALL.replace('name = "NOC"', 'name = "NOC"\naccept = 5')) == [
        'people.toml:6: group.noc.accept: 5 is no time; write "10m", or { P1 = "5m", P2 = "10m" }'
    ]


def test_two_people_cannot_have_one_address(tmp_path: Path) -> None:
    text = SMALL + (
        '[person.bob]\nname = "Bob"\ncontacts = [{ means = "mail", address = "a@b.c" }]\n'
        '[person.cem]\nname = "Cem"\ncontacts = [{ means = "mail", address = "A@B.c" }]\n'
    )

    assert complaints(tmp_path, text) == [
        "people.toml:15: person.cem.contacts[0].address: is also an address of 'bob'; answers would be of both"
    ]


def test_means_can_be_held_against_the_senders_there_are(tmp_path: Path) -> None:
    text = SMALL + '[person.bob]\nname = "Bob"\ncontacts = [{ means = "pager", address = "1" }]\n'

    assert load(tmp_path, text).persons["bob"].contacts == (PersonContact("pager", "1"),)
    assert complaints(tmp_path, text, means=["mail", "sms"]) == [
        "people.toml:12: person.bob.contacts[0].means: no means 'pager'; known: mail, sms"
    ]


def test_a_file_with_persons_only_is_right(tmp_path: Path) -> None:
    assert sorted(load(tmp_path, '[person.ann]\nname = "Ann"\n').persons) == ["ann"]
    assert load(tmp_path, "") == People()


@pytest.mark.parametrize("text", ["person = 1", "[person]\nann = 1", '[person."a b"]\nname = "A"'])
def test_what_is_no_table_is_told(tmp_path: Path, text: str) -> None:
    assert complaints(tmp_path, text)

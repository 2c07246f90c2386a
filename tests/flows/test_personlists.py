from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.personlists import ListedPerson, read_macs, read_persons
from btimd.model.address import Prefix

PERSONS = """\ufeffaddress_or_prefix,person,since,until
# the boardroom
10.1.0.7, "Doe, Jane"
10.2.0.0/16,guest,1970-01-01T00:01:40Z,1970-01-01T01:03:20+01:00
2001:db8::/64,lab,,1970-01-01T00:05:00
"""


def test_a_list_names_persons_of_addresses_and_prefixes_for_a_time() -> None:
    listed = read_persons(PERSONS.encode())
    assert (listed.records, listed.refused) == (3, 0)
    assert listed.persons == [
        ListedPerson(Prefix.parse("10.1.0.7"), "Doe, Jane", None, None),
        ListedPerson(Prefix.parse("10.2.0.0/16"), "guest", 100.0, 200.0),
        ListedPerson(Prefix.parse("2001:db8::/64"), "lab", None, 300.0),
    ]


def test_lines_that_cannot_be_understood_are_counted_and_the_others_hold() -> None:
    bad = "10.1.0.300,x\n10.1.0.1/8,x\n10.1.0.1\n10.1.0.1,\n10.1.0.1,x,tomorrow\n10.1.0.1,x,,,\n10.1.0.2,anna\n"
    listed = read_persons(bad.encode())
    assert ([one.person for one in listed.persons], listed.records, listed.refused) == (["anna"], 7, 6)
    assert listed.last_error == "line 6: wanted address_or_prefix,person[,since,until]"
    assert "tomorrow" not in read_persons(b"10.1.0.1,x,tomorrow").last_error


def test_a_list_of_macs_names_persons_of_devices() -> None:
    listed = read_macs(b"mac,person\n02-00-00-00-00-11,anna\nnonsense,bert\n02:00:00:00:00:12\n")
    assert (listed.macs, listed.refused) == ({"02:00:00:00:00:11": "anna"}, 2)
    assert listed.last_error == "line 4: wanted mac,person"


@given(st.binary(max_size=300))
def test_no_file_raises(octets: bytes) -> None:
    for read in (read_persons, read_macs):
        listed = read(octets)
        assert listed.refused <= listed.records

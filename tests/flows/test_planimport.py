"""phpIPAM exports and any CSV as lines of a plan, merging, and the text of a plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.planimport import (
    Imported,
    ImportLine,
    Sources,
    entries_of,
    from_csv,
    from_phpipam_csv,
    from_phpipam_json,
    joined,
    merged,
    plan_text,
)
from tests.flows.planclients import entries

PHP = Sources("section", "description", "owner")
SUBNETS = """\
Section,Subnet,Description,VLAN,VLAN Domain,VRF,Master Subnet,Requests,Host check,Discover,Customer
Berlin,Offices (folder),Offices,NA,,,/,0,0,0,
Berlin,10.1.0.0/16,,NA,,,/,0,0,0,
Berlin,10.1.1.0/24,Sales floor,101,campus,,10.1.0.0/16,0,1,1,ACME
Hamburg,10.2.0.0/16,Yard,NA,,lab,/,0,0,0,
Hamburg,bad,Yard,NA,,,/,0,0,0,
"""
ADDRESSES = """\
Section;IP Address;Hostname;Description;VRF;Subnet;MAC;Owner;Device;Note;Tag;Gateway
Berlin;10.1.1.7;pc7;desk;default;10.1.1.0/24;;Li Wei;;;Used;No
Berlin;10.1.1.8;pc8;desk;default;10.1.1.0/24;;;;;Used;No
Berlin;10.1.1.x;pc9;desk;default;10.1.1.0/24;;Wang;;;Used;No
"""


def text(found: Imported) -> str:
    return plan_text(found.lines, [])


def test_an_export_of_subnets_becomes_lines() -> None:
    found = from_phpipam_csv(SUBNETS, mapping=PHP)

    assert text(found) == (
        "prefix,region,segment,person\n10.1.0.0/16,Berlin,,\n10.1.1.0/24,Berlin,Sales floor,\n10.2.0.0/16,Hamburg,Yard,\n"
    )
    assert found.problems == ("line 6: 'bad' is no subnet; left out",)
    assert text(from_phpipam_csv(SUBNETS, mapping=Sources("column:customer", "vlan"), vrf="global")) == (
        "prefix,region,segment,person\n10.1.1.0/24,ACME,101,\n"
    )


def test_a_mask_of_its_own_column_counts() -> None:
    rows = "section,subnet,mask,description\nA,10.0.0.0,255.0.0.0,x\nA,10.1.0.0,16,y\nA,2001:db8::,/32,z\n"

    assert [line.prefix for line in from_phpipam_csv(rows, mapping=PHP).lines] == [
        "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32",
    ]  # fmt: skip


def test_an_export_of_addresses_gives_persons() -> None:
    found = from_phpipam_csv(ADDRESSES, mapping=PHP)

    assert text(found) == "prefix,region,segment,person\n10.1.1.7/32,,,Li Wei\n"
    assert found.problems == ("line 4: '10.1.1.x' is no address; left out",)
    both = joined([from_phpipam_csv(SUBNETS, mapping=PHP), found])
    assert (len(both.lines), both.skipped) == (4, 2)


def test_an_answer_of_the_api_becomes_lines() -> None:
    answer = {
        "code": 200,
        "success": True,
        "data": [
            {"id": "3", "subnet": "10.1.0.0", "mask": "16", "sectionId": "1", "description": "Berlin", "isFolder": "0"},
            {"id": "4", "subnet": None, "mask": "", "sectionId": "1", "description": "Offices", "isFolder": "1"},
        ],
    }

    assert text(from_phpipam_json(answer, mapping=Sources("description"))) == (
        "prefix,region,segment,person\n10.1.0.0/16,Berlin,,\n"
    )
    with pytest.raises(ValueError, match="is no answer of phpIPAM"):
        from_phpipam_json({"code": 404, "message": "No subnets found"}, mapping=PHP)


def test_what_is_no_export_says_what_it_has() -> None:
    with pytest.raises(ValueError, match="has neither a column 'Subnet' nor 'IP address'; found: a, b"):
        from_phpipam_csv("a,b\n1,2\n", mapping=PHP)
    with pytest.raises(ValueError, match="'site' is nothing that phpIPAM has; known: section, description"):
        from_phpipam_csv(SUBNETS, mapping=Sources("site"))


def test_any_csv_becomes_lines_by_the_names_of_its_columns() -> None:
    rows = '\ufeffNetz\tStandort\tNutzer\n10.1.1.7\tBerlin\t"Li, Wei"\n10.1.0.5/16\tBerlin\t\nx\tBerlin\t\n\t\t\n'
    found = from_csv(rows, prefix_column="netz", columns=Sources("Standort", "none", "Nutzer"))

    assert text(found) == 'prefix,region,segment,person\n10.1.0.0/16,Berlin,,\n10.1.1.7/32,Berlin,,"Li, Wei"\n'
    assert found.problems == ("line 4: 'x' is no prefix; left out",)
    with pytest.raises(ValueError, match="has no column 'Ort'; found: Netz, Standort, Nutzer"):
        from_csv(rows, prefix_column="Netz", columns=Sources("Ort"))


def test_a_prefix_that_lies_in_none_gets_the_default_region() -> None:
    rows = "p,r,s\n10.0.0.0/8,,a\n10.1.0.0/16,,b\n11.0.0.0/8,west,\n11.1.0.0/16,,c\n"
    found = from_csv(rows, prefix_column="p", columns=Sources("r", "s"), default_region="here")

    assert [line.region for line in found.lines] == ["here", "", "west", ""]


def test_lines_of_the_plan_that_the_source_does_not_know_stay() -> None:
    source = Imported(
        (ImportLine("10.1.0.0/16", "north", "", "", "s"), ImportLine("10.2.0.0/16", "south", "", "", "s"))
    )
    plan = entries("10.1.0.0/16,North,sales,", "10.9.0.0/16,own,,", "10.2.0.0/16,south,,Li", "bad,x,,")

    found = merged(source, plan)

    assert text(found) == (
        "prefix,region,segment,person\n10.1.0.0/16,north,sales,\n10.2.0.0/16,south,,Li\n10.9.0.0/16,own,,\n"
    )
    assert found.problems == (
        "10.1.0.0/16: line 2 of the existing plan says North / sales / -, s says north / - / -; kept the source",
        "line 5 of the existing plan: 'bad' is no prefix; left out",
    )
    assert merged(source, plan, prefer_existing=True).lines[0].region == "North"


def test_the_text_of_a_plan_has_its_comments_and_quotes() -> None:
    lines = (ImportLine("10.0.0.0/8", 'a "b", c', "", "", ""),)

    assert plan_text(lines, ["from x\nread y"]) == (
        '# from x read y\nprefix,region,segment,person\n10.0.0.0/8,"a ""b"", c",,\n'
    )
    assert [(one.prefix, one.line) for one in entries_of(lines)] == [("10.0.0.0/8", 1)]


@given(st.text(alphabet=st.sampled_from('subnet,;\n"10./8é\x00\t'), max_size=80))
def test_any_text_is_lines_problems_or_refused(rows: str) -> None:
    try:
        found = from_phpipam_csv("subnet,section\n" + rows, mapping=PHP)
    except ValueError:
        return
    assert text(found).count("\n") == len(found.lines) + 1

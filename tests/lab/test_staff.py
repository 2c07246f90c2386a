"""The laboratory's staff: what people.toml and the tokens file say of it is what btimd reads."""

from pathlib import Path

from btimd.api.auth import Role
from btimd.api.tokens import load_tokens
from btimd.lab.config import token_file, write_configuration
from btimd.lab.enterprise import Enterprise
from btimd.lab.staff import CENTRE, MEMBERS, Staff
from btimd.settings.people import load_people
from tests.lab.observe import QUICK


async def test_everybody_can_be_sent_and_has_a_token_that_only_its_owner_reads(tmp_path: Path) -> None:
    staff = Staff()
    async with Enterprise(QUICK) as enterprise:
        write_configuration(tmp_path, enterprise, staff=staff)
    people = load_people(tmp_path / "people.toml")
    tokens = load_tokens(tmp_path / "tokens.toml")

    assert {one.id: one.name_zh for one in people.persons.values()} == {one.id: one.name_zh for one in MEMBERS}
    assert {one.name: one.role for one in tokens} == {
        CENTRE: Role.MANAGER,
        **{one.id: Role.HANDLER for one in MEMBERS},
    }
    for name, secret in staff.tokens.items():
        path = token_file(tmp_path, name)
        assert (path.read_text(encoding="ascii"), path.stat().st_mode & 0o777) == (secret + "\n", 0o600)
        assert secret not in (tmp_path / "tokens.toml").read_text(encoding="utf-8")


def test_each_staff_has_secrets_of_its_own_and_does_not_show_them() -> None:
    one, other = Staff(), Staff()

    assert len({*one.tokens.values(), *other.tokens.values()}) == 2 * (len(MEMBERS) + 1)
    assert repr(one) == "Staff()"


def test_a_member_is_found_by_id() -> None:
    found = Staff.member("li.na")

    assert found is not None
    assert (found.name, found.group) == ("Li Na", "databases")
    assert Staff.member("nobody") is None

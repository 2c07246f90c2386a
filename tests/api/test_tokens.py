from pathlib import Path

import pytest

from btimd.api.auth import Role, Scope, Token, digest_of
from btimd.api.tokens import load_tokens, local_token, token_notes
from tests.api.conftest import SECRETS, write_tokens

GOOD = f'name = "x"\nrole = "viewer"\nsha256 = "{"0" * 64}"'


def test_the_tokens_file_is_read(tmp_path: Path) -> None:
    tokens = load_tokens(write_tokens(tmp_path / "tokens.toml"))

    assert [(token.name, token.role) for token in tokens] == [
        ("vera", Role.VIEWER),
        ("rita", Role.REPORTER),
        ("otto", Role.HANDLER),
        ("mona", Role.MANAGER),
        ("sven", Role.MANAGER),
    ]
    assert tokens[4].scope == Scope(frozenset({"erp"}))
    assert tokens[0].sha256 == digest_of(SECRETS["vera"].encode())
    assert repr(tokens[0]) == (
        "Token(name='vera', role=<Role.VIEWER: 1>, person='', "
        "scope=Scope(businesses=frozenset(), regions=frozenset()), desk=False)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"wanted one or more \[\[token\]\] tables"),
        ("token = 3", r"wanted one or more \[\[token\]\] tables"),
        ("tokens = []", r"wanted one or more \[\[token\]\] tables"),
        ("token = [1]", "token 1: wanted a table with name, role and sha256"),
        ('[[token]]\nname = "x"', r"token 1 \(x\): wanted a table with name, role and sha256"),
        ("[[token]]\n" + GOOD + "\nbusines = 1", r"token 1 \(x\): unknown key 'busines'; did you mean 'businesses'\?"),
        ("[[token]]\n" + GOOD.replace('"x"', '"a b"'), r"token 1 \(a b\): name 'a b'"),
        ("[[token]]\n" + GOOD.replace('"viewer"', "[]"), r"role \[\] is none of"),
        ("[[token]]\n" + GOOD.replace("viewer", "root"), "role 'root' is none of viewer, reporter, handler, manager"),
        ("[[token]]\n" + GOOD + '\nperson = ""', r"person is no id of people.toml"),
        ("[[token]]\n" + GOOD + '\nperson = "btimd"', r"btimd is btimd itself in timelines; name somebody else"),
        ("[[token]]\n" + GOOD.replace('"x"', '"btimd"'), r"token 1 \(btimd\): btimd is btimd itself in timelines"),
        ("[[token]]\n" + GOOD + "\nperson = []", r"person is no id of people.toml"),
        ("[[token]]\n" + GOOD + "\nperson = 7", r"person is no id of people.toml"),
        ("[[token]]\n" + GOOD + '\nbusinesses = "erp"', r"businesses is no list of names; write businesses = \["),
        ("[[token]]\n" + GOOD + "\nregions = [1]", r"regions is no list of names"),
        ("[[token]]\n" + GOOD + "\nregions = []", r"regions has 0 names; write 1 to 1000, or leave it out for all"),
        ("[[token]]\n" + GOOD + "\ndesk = 1", r"desk is true or false"),
        ("[[token]]\n" + GOOD + "\ndesk = true", r"desk = true with role viewer changes nothing; give it role handler"),
        ("[[token]]\n" + GOOD.replace("0" * 64, "00"), "sha256 is not 64 hex digits"),
        ("[[token]]\n" + GOOD + "\n[[token]]\n" + GOOD, r"token 2 \(x\): its name or its sha256 is there twice"),
        ("[[token", "is no TOML"),
    ],
)
def test_a_wrong_tokens_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(text)

    with pytest.raises(ValueError, match=message) as refused:
        load_tokens(path)

    assert str(refused.value).startswith(str(path))


def test_a_tokens_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read .*nowhere: No such file"):
        load_tokens(tmp_path / "nowhere")


def test_the_local_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = local_token(tmp_path / "state")
    second = local_token(tmp_path / "state")
    path = tmp_path / "state" / "token"

    assert first == second == Token("local", Role.MANAGER, digest_of(path.read_bytes().strip()))
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes().strip()) >= 43


def test_a_local_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o644)

    with pytest.raises(ValueError, match="can be read by others"):
        local_token(tmp_path)


def test_a_state_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(ValueError, match="state is no directory; remove it"):
        local_token(tmp_path / "state")


def test_every_mistake_of_a_tokens_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    bad = '[[token]]\nname = "a b"\nrole = "root"\nsha256 = ""\n'
    path.write_text(f"[[token]]\n{GOOD}\n{bad}[[token]]\n{GOOD}\ndesk = 3")

    with pytest.raises(ValueError, match="token 2") as refused:
        load_tokens(path)

    assert str(refused.value).splitlines() == [
        f"{path}: token 2 (a b): name 'a b': 1 to 64 letters, digits and . _ @ - are allowed",
        f"{path}: token 2 (a b): role 'root' is none of viewer, reporter, handler, manager",
        f"{path}: token 2 (a b): sha256 is not 64 hex digits; make one with: btimctl token a b",
        f"{path}: token 3 (x): desk is true or false",
    ]


def test_what_tokens_name_and_nobody_knows_is_told() -> None:
    tokens = [
        Token("program", Role.VIEWER, b""),
        Token("anna", Role.HANDLER, b"", "an", Scope(frozenset({"erp", "erq"}), frozenset({"Shanghai"}))),
        Token("bob", Role.HANDLER, b"", "bob", Scope(regions=frozenset({"Beijing"}))),
    ]

    assert token_notes(tokens, persons=["anna", "bob"], businesses=["erp"], regions=["Shanghai"]) == [
        "token anna: there is no person 'an'; did you mean 'anna'?",
        "token anna: there is no business 'erq'; did you mean 'erp'?",
        "token bob: there is no region 'Beijing'; known: Shanghai",
    ]

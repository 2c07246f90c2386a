from btimd.itsm.lifecycle import COMMANDS, TABLE
from btimd.itsm.triggers import Trigger
from btimd.model.incident import CommandKind


def test_every_trigger_stands_in_the_table() -> None:
    assert {row.on.__name__ for row in TABLE} == {kind.__name__ for kind in Trigger.__subclasses__()}


def test_every_command_but_create_is_a_trigger() -> None:
    assert set(COMMANDS.values()) == set(CommandKind) - {CommandKind.CREATE}

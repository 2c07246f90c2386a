"""Commands of btimctl: who uses what: users, persons."""

from btimd.cli.ctl_areas import Add


def add_commands(_add: Add) -> None:
    """Add the commands of this area."""

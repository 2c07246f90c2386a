"""Commands of btimctl: records of the archive, rankings."""

from btimd.cli.ctl_areas import Add


def add_commands(_add: Add) -> None:
    """Add the commands of this area."""

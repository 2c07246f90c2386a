"""Commands of btimctl: what is usual and what is not."""

from btimd.cli.ctl_areas import Add


def add_commands(_add: Add) -> None:
    """Add the commands of this area."""

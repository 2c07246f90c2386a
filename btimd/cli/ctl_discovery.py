"""Commands of btimctl: what the traffic says of the model."""

from btimd.cli.ctl_areas import Add


def add_commands(_add: Add) -> None:
    """Add the commands of this area."""

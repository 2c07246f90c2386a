"""btimd watches an enterprise's businesses through its network."""

__version__ = "0.1.0"

"""Generated from proto/btimd/v1 by tools/proto.py; never edited."""

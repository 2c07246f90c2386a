"""Active probes: codecs, transport, schedule and budget."""

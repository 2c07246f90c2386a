"""The vocabulary: what btimd talks about. No behaviour beyond invariants."""

"""The commands btimd and btimctl."""

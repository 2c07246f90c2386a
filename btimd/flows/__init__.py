"""Flow records to businesses, places, users and windows."""

"""Where results and decisions are kept."""

"""What every component needs: clock, life cycle, supervision, channels, feeds, logs, metrics."""

"""Traffic in: datagrams and captures, decoded to columns."""

"""What runs on the hosts: programs for Debian's Python, with the client libraries that real applications use."""

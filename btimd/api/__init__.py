"""gRPC and HTTP faces."""

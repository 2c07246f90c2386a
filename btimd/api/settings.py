"""Settings of the API: where it listens, who may call it, how much it bears."""

from typing import Self

from pydantic import Field, model_validator

from btimd.settings.fields import Duration, HostPort, Section, SettingsPath, is_loopback


class ApiSettings(Section):
    """[api] of btimd.toml.

    cert_file and key_file (PEM) turn TLS on for gRPC and HTTP; tokens_file says who may call; without it a token of
    role manager is made in the state directory. open_reads: reads need no token, where the listener is on loopback.
    allow_plaintext: listen beyond loopback without TLS, for a network that is protected otherwise.
    """

    grpc_listen: HostPort = ("127.0.0.1", 50551)
    http_listen: HostPort = ("127.0.0.1", 8551)
    cert_file: SettingsPath | None = None
    key_file: SettingsPath | None = None
    allow_plaintext: bool = False
    tokens_file: SettingsPath | None = None
    open_reads: bool = True
    max_streams: int = Field(default=64, ge=1, le=10_000)
    max_calls: int = Field(default=256, ge=1, le=100_000)
    default_interval: Duration = Field(default=10.0, gt=0)

    @model_validator(mode="after")
    def _check_exposure(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("TLS needs both cert_file and key_file; give both or none")
        if self.uses_tls or self.allow_plaintext:
            return self
        for key, (host, port) in (("grpc_listen", self.grpc_listen), ("http_listen", self.http_listen)):
            if not is_loopback(host):
                raise ValueError(
                    f"{key} = {host}:{port} is open to the network without TLS; give cert_file and key_file, "
                    "or listen on 127.0.0.1, or set allow_plaintext = true where the network itself is protected"
                )
        return self

    @property
    def uses_tls(self) -> bool:
        """Tell whether connections are encrypted."""
        return self.cert_file is not None

    def reads_are_open(self, host: str) -> bool:
        """Tell whether reads on a listener need no token: only ever on loopback."""
        return self.open_reads and is_loopback(host)

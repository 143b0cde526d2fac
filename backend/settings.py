"""What a person may choose: environment variables with the prefix ``STREETLIGHT_``, or keyword arguments in tests.

The command line only fills these fields in; every other module takes a ``Settings`` or a plain value of it.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.limits import COAP_PORT

Port = Annotated[int, Field(ge=0, le=65535)]  # 0 lets the system choose: tests


class Settings(BaseSettings):
    """Every setting of the backend with its default, its unit in its name, and the reason for the default."""

    # Secrets may stand in a database URL: a refused value must not be printed back.
    model_config = SettingsConfigDict(env_prefix="STREETLIGHT_", extra="forbid", frozen=True, hide_input_in_errors=True)

    database_url: str = "sqlite:///streetlight.db"
    """`sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host/name`."""

    http_host: str = "127.0.0.1"
    """Local only by default: TLS and the outside world belong to a reverse proxy."""
    http_port: Port = 8000

    coap_host: str = "0.0.0.0"
    """Lamps come from everywhere, and every one of their messages is authenticated by OSCORE."""
    coap_port: Port = COAP_PORT

    coap_uri: str | None = None
    """What a lamp that is bootstrapped is told as the address of this server, as `coap://lights.example.org:5683`: a
    server behind a NAT or a load balancer cannot know it. Without one nobody is bootstrapped."""

    allow_insecure: bool = False
    """Laboratory only: serve lamps that do not use OSCORE."""

    worker_threads: Annotated[int, Field(ge=1, le=200)] = 16
    """Requests that may hold a database transaction at once. The pool and the thread limiter follow from it, because
    default pools stall under load (a thread that waits for a connection keeps the thread that would free one)."""

    database_timeout_s: Annotated[int, Field(ge=1, le=300)] = 10
    """How long a statement may wait for a lock or a free connection before the request is refused with 503."""

    graceful_shutdown_s: Annotated[int, Field(ge=0, le=300)] = 5
    """Open streams would hold up a restart for ever without it."""

    clock_rate: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    """Lighting milliseconds per real millisecond; not 1 only in a simulation. See `backend.clock`."""
    clock_anchor_ns: int | None = None
    """CLOCK_MONOTONIC, in ns, at the moment `clock_anchor_utc_ms` of lighting time."""
    clock_anchor_utc_ms: int | None = None

    incident_least_lamps: Annotated[int, Field(ge=2, le=1000)] = 3
    """So many lamps of a feeder or cabinet make an incident. Two that are lost together may be chance, and one entry
    for two saves nobody work."""
    incident_share: Annotated[float, Field(gt=0.5, le=1)] = 0.9
    """What "all" means, of a feeder that is lost and of an incident that is over: one lamp in ten may hang on another
    cable than the inventory says, or be broken by itself."""
    incident_part_least: Annotated[int, Field(ge=2, le=1000)] = 5
    """So many lamps of a part of a feeder (a phase, a broken cable), or of a cabinet's neighbourhood."""
    incident_part_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Of a feeder or a cabinet: one phase of three is a third of the lamps."""
    incident_wide_least: Annotated[int, Field(ge=2, le=10_000)] = 10
    """So many lamps, wherever they are, make an incident of the whole installation."""
    incident_wide_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    """And such a part of all lamps: in a large city ten are lost in any hour by chance."""
    incident_slack_s: Annotated[int, Field(ge=0, le=3600)] = 60
    """Lamps that may have been lost within this time of one another were lost together: the supply of a feeder dips
    before it goes, and a network goes down access point by access point."""

    @field_validator("coap_uri")
    @classmethod
    def _a_coap_uri(cls, uri: str | None) -> str | None:
        if uri and not re.fullmatch(r"coap://[^\s/\[\]:@]{1,200}(:[0-9]{1,5})?", uri):
            raise ValueError("write coap://host or coap://host:port, with a name or an IPv4 address")
        return uri

    @field_validator("database_url")
    @classmethod
    def _supported_database(cls, url: str) -> str:
        scheme, _, rest = url.partition("://")
        kind = scheme.partition("+")[0]
        if kind == "postgres":
            kind = "postgresql"
        if kind == "sqlite":
            path = rest.removeprefix("/")
            if not path or path.startswith(":memory:") or "mode=memory" in path:
                raise ValueError(
                    "SQLite needs a file, for example sqlite:///streetlight.db (memory has no second connection)"
                )
            return f"sqlite://{rest}" if rest.startswith("/") else f"sqlite:///{rest}"
        if kind == "postgresql":
            return f"postgresql+psycopg://{rest}"
        raise ValueError("use sqlite:///file.db or postgresql://user:password@host/database")

    @model_validator(mode="after")
    def _anchored_clock(self) -> "Settings":
        anchors = (self.clock_anchor_ns, self.clock_anchor_utc_ms)
        if (anchors[0] is None) != (anchors[1] is None):
            raise ValueError("clock_anchor_ns and clock_anchor_utc_ms belong together: give both or neither")
        if self.clock_rate != 1.0 and anchors[0] is None:
            raise ValueError(
                "a clock_rate other than 1 needs clock_anchor_ns and clock_anchor_utc_ms, so that every "
                "process and every restart agrees on the time"
            )
        return self

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None with PostgreSQL."""
        prefix = "sqlite:///"
        return (
            Path(self.database_url.removeprefix(prefix).partition("?")[0])
            if self.database_url.startswith(prefix)
            else None
        )

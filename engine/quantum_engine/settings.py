"""What one engine process is told by its environment.  Read once at start, validated, never changed.

In    environment variables: QT_ENGINE_*, and POD_* of the downward API
Out   Settings
"""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from quantum_api import names
from quantum_engine.exchanges.binance_futures.presets import VenueName


class Settings(BaseSettings):
    """One engine's configuration."""

    model_config = SettingsConfigDict(env_prefix="QT_ENGINE_", frozen=True, extra="ignore", populate_by_name=True)

    pod_namespace: Annotated[str, Field(validation_alias=AliasChoices("POD_NAMESPACE", "pod_namespace"))] = "default"
    pod_name: Annotated[str, Field(min_length=1, max_length=253, validation_alias=AliasChoices("POD_NAME", "pod_name"))]
    pod_uid: Annotated[str, Field(validation_alias=AliasChoices("POD_UID", "pod_uid"))] = ""
    pod_ip: Annotated[str, Field(validation_alias=AliasChoices("POD_IP", "pod_ip"))] = ""

    control_host: str = ""
    """Empty = the pod's own address, or every address when that is not known."""
    control_port: Annotated[int, Field(ge=1, le=65_535)] = 8080
    journal_path: Path
    jwks_file: Path
    redis_url: str | None = None
    """Without it there is no mirror and no event bus."""
    spool_bytes: Annotated[int, Field(ge=1_000_000, le=10_000_000_000)] = 100_000_000
    """How much the event bus keeps on disk for a Redis that is away: telemetry is dropped beyond it, and with no telemetry left the gate
    goes to REDUCE_ONLY."""
    venue: VenueName | None = None
    """live, demo or simulator; real money is traded only with `live`.  Neither it nor URLs: no exchange, the engine stays HALTED."""
    rest_url: str | None = None
    """Base URL of the exchange's REST interface, in place of the venue's own."""
    stream_url: str | None = None
    """Base URL of its streams, below which /public, /market and /private are; together with rest_url."""
    account_file: Path | None = None
    """JSON {"apiKey", "apiSecret"} (HMAC) or {"apiKey", "privateKey"} (Ed25519, PEM)."""
    rate_scope: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,63}$")] = "egress"
    """Engines of one scope share the exchange's weight limit through Redis: those behind one address.  Another address, another scope."""
    rate_sharers: Annotated[int, Field(ge=1, le=1_000)] = 3
    """How many engines one scope is taken for while Redis cannot be asked: each then keeps to that part of the limit."""
    halt_token_file: Path | None = None
    """Bearer token of POST /v1/halt; without it that call is refused and the halt command remains."""
    intents_token_file: Path | None = None
    """Bearer token of POST /execution/intents; without it that call is refused, and only the engine's own strategy trades."""
    log_level: str = "INFO"

    @property
    def has_exchange(self) -> bool:
        return bool(self.venue or self.rest_url or self.stream_url)

    @property
    def engine(self) -> str:
        """Who policy documents are for."""
        return names.engine_id(self.pod_namespace, self.pod_name)

    @property
    def listen_host(self) -> str:
        return self.control_host or self.pod_ip or "0.0.0.0"  # noqa: S104  a pod's surface is reached from outside the pod

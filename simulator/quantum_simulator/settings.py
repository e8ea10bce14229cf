"""Options of the process: environment ``QT_SIM_*`` or ``--kebab-case`` arguments.

In    environment, command line
Out   ``Settings``, checked
Flow  __main__ -> HERE -> VenueOptions
Why   one declaration for both; an unknown or impossible value ends the start with a sentence
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.market_files import read_recordings
from quantum_simulator.rest.limits import RateLimits
from quantum_simulator.venue import VenueOptions


class Settings(BaseSettings):
    """A Binance USDⓈ-M futures venue for development, demos and tests."""

    model_config = SettingsConfigDict(env_prefix="QT_SIM_", cli_prog_name="quantum-simulator", cli_kebab_case=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65_535, description="REST and stream port")
    control_port: int = Field(default=8081, ge=0, le=65_535, description="control API port")
    accounts_dir: Path | None = Field(default=None, description="directory of <account>.json files")
    seed: int = Field(default=7, description="seed of the random market")
    tick_ms: int = Field(default=100, ge=1, le=60_000, description="how often the market moves")
    mark_interval_ms: int = Field(default=1_000, ge=1, le=60_000, description="how often @markPrice@1s is sent")
    speed: float = Field(default=1.0, gt=0, le=10_000, description="market time per venue time")
    hand_stepped: bool = Field(default=False, description="time moves only by POST /control/step")
    start_ms: int = Field(default=0, ge=0, description="hand-stepped: venue time at the start, milliseconds since the epoch; 0: now")
    history_minutes: int = Field(default=500, ge=0, le=3_000, description="candles made up before the start")
    funding_minutes: int = Field(default=480, ge=1, le=1_440, description="venue time between two funding payments")
    replay_dir: Path | None = Field(default=None, description="directory of <SYMBOL>-1s|1m|trades*.csv[.gz] or .zip files to live through")
    symbols: Annotated[tuple[str, ...], NoDecode] = Field(default=tuple(DEFAULT_INSTRUMENTS), description="comma separated symbols")
    weight_limit: int = Field(default=2_400, ge=1, description="request weight per minute and IP")
    orders_per_ten_seconds: int = Field(default=300, ge=1, description="orders per 10 s and account")
    orders_per_minute: int = Field(default=1_200, ge=1, description="orders per minute and account")

    @field_validator("symbols", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        return tuple(part.strip().upper() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("symbols")
    @classmethod
    def known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [symbol for symbol in value if symbol not in DEFAULT_INSTRUMENTS]
        if unknown or not value:
            raise ValueError(f"unknown symbols {unknown}; choose from {', '.join(DEFAULT_INSTRUMENTS)}")
        return value

    def options(self) -> VenueOptions:
        return VenueOptions(
            host=self.host,
            port=self.port,
            control_port=self.control_port,
            seed=self.seed,
            tick_ms=self.tick_ms,
            mark_interval_ms=self.mark_interval_ms,
            speed=self.speed,
            is_hand_stepped=self.hand_stepped,
            start_ms=self.start_ms,
            history_minutes=self.history_minutes,
            funding_interval_ms=self.funding_minutes * 60_000,
            instruments=tuple(DEFAULT_INSTRUMENTS[symbol] for symbol in self.symbols),
            recordings=read_recordings(self.replay_dir) if self.replay_dir else (),
            limits=RateLimits(self.weight_limit, self.orders_per_ten_seconds, self.orders_per_minute),
        )

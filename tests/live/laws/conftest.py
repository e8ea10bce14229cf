"""One Redis for all histories; what thousands of lives log says nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.live.laws.redis import Redis


@pytest.fixture(scope="package")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    folder: Path = tmp_path_factory.mktemp("redis")
    server = Redis(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture(autouse=True, scope="package")
def _silent() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"), cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)

"""Laws run thousands of histories: what they log says nothing."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True, scope="module")
def _silent() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"), cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)

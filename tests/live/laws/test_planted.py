"""Each law fails when its line is broken, and the history by which it does holds when it is not."""

import pytest
from tests.live.laws import judge as laws
from tests.live.laws import settling
from tests.live.laws.living import lived
from tests.live.laws.planted import TABLE, Planted
from tests.live.laws.redis import Redis

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


@pytest.mark.parametrize("planted", TABLE, ids=lambda planted: planted.name.replace(" ", "-"))
def test_a_planted_bug_breaks_its_law_and_nothing_else_does(redis: Redis, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLED_SECONDS", 45.0)
    with planted.in_place():
        evidence = lived(planted.history, redis)
    assert planted.law(evidence), f"{planted.law.__name__} did not see: {planted.name}"
    assert laws.judge(lived(planted.history, redis)) == []

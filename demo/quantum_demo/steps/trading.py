"""Step 4: the engines trade; the venue itself is asked what they hold."""

from typing import Any

from quantum_demo.fleet import Stage, engine_pods
from quantum_demo.venue import VenueControl, describe, long_exposure_usdt
from quantum_demo.waiting import until

UPWARD_BPS_PER_MINUTE = 150
LEAST_EXPOSURE_USDT = 8_000


async def let_the_engines_trade(stage: Stage) -> None:
    """A rising market makes the crossing averages go long; wait until every account does."""
    names = [str(pod["metadata"]["name"]) for pod in await engine_pods(stage.kubectl)]
    async with await VenueControl.find(stage.kubectl) as venue:
        stage.timeline.typed(f'curl -X POST {venue.url}/control/drift -d \'{{"symbol":"all","bpsPerMinute":{UPWARD_BPS_PER_MINUTE}}}\'')
        await venue.drift(UPWARD_BPS_PER_MINUTE)

        async def all_hold() -> list[dict[str, Any]] | None:
            accounts = [await venue.account(name) for name in names]
            return accounts if all(long_exposure_usdt(account) >= LEAST_EXPOSURE_USDT for account in accounts) else None

        accounts, seconds = await until(all_hold, "every engine holds long positions at the venue", within_seconds=90)
        stage.timeline.saw("every engine holds long positions, says the venue:", seconds=seconds)
        for name, account in zip(names, accounts, strict=True):
            stage.timeline.saw(f"{name}: {describe(account)}")

"""The story of `make demo`: nine steps on a real control plane.  Any failed step ends it with a non-zero exit code."""

from collections.abc import Awaitable, Callable

from quantum_demo.fleet import Stage
from quantum_demo.steps.bad_input import refuse_bad_input
from quantum_demo.steps.crash import delete_a_stopped_engine, let_the_market_fall
from quantum_demo.steps.hand_stop import stop_by_hand
from quantum_demo.steps.install import install_the_chart
from quantum_demo.steps.policy import apply_a_policy, apply_a_strategy_mode
from quantum_demo.steps.release import release_by_two_people
from quantum_demo.steps.trading import let_the_engines_trade

STEPS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("The chart is installed, three engines become Ready against the simulated venue", install_the_chart),
    ("A TradingPolicy is applied; every engine enforces it", apply_a_policy),
    ("A StrategyMode is applied; every engine runs it", apply_a_strategy_mode),
    ("The engines trade; the venue is asked what they hold", let_the_engines_trade),
    ("The market falls 15 %; every breached engine stops itself and goes flat", let_the_market_fall),
    ("A stopped engine's pod is deleted; its replacement is still stopped", delete_a_stopped_engine),
    ("One approval does not release; a second person's does", release_by_two_people),
    ("A person stops all engines", stop_by_hand),
    ("Bad input is refused by the API server", refuse_bad_input),
)


async def tell(stage: Stage) -> None:
    """Every step in order; the first that fails ends the story."""
    for number, (title, step) in enumerate(STEPS, start=1):
        with stage.timeline.step(number, title):
            await step(stage)

"""Steps 2 and 3: a policy and a mode are applied; `kubectl wait` returns when every engine enforces them."""

from quantum_demo.fleet import EXAMPLES, Stage


async def apply_a_policy(stage: Stage) -> None:
    await stage.show("apply", "-f", str(EXAMPLES / "policy.yaml"))
    await stage.show("wait", "--for=condition=EnginesAcknowledged", "tradingpolicy/house", "--timeout=30s")
    await stage.show("get", "tradingpolicies")


async def apply_a_strategy_mode(stage: Stage) -> None:
    await stage.show("apply", "-f", str(EXAMPLES / "strategy-mode.yaml"))
    await stage.show("wait", "--for=condition=EnginesAcknowledged", "strategymode/house", "--timeout=30s")
    await stage.show("get", "strategymodes")

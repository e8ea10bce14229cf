"""Who may loosen a policy: whoever has the verb.  Tightening needs no more than to be allowed to write it."""

import json
from typing import Any

import pytest
from tests.live.admission.desk import GITOPS, PAUL, POLICY, WALT, Desk, an_object, denied

from quantum_api.crd import limit_fields

pytestmark = pytest.mark.asyncio(loop_scope="session")
DEFAULTS = {
    "stopCooldownSeconds": 300, "flattenDeadlineSeconds": 60, "priceCollarBps": 500, "maxOrdersPerSecond": 10, "maxIntentsPerMinute": 10,
    "maxDataAgeSeconds": 5, "maxBalanceAgeSeconds": 300, "leaseSeconds": 60, "maxDailyLossBps": 1_000, "maxLossVelocityBps": 1_000,
    "lossVelocitySeconds": 60, "maxRejectsPerMinute": 30, "orderRunawayBps": 30_000, "dataSilenceDeadlineSeconds": 300,
    "streamSilenceDeadlineSeconds": 300, "reconciliationDeadlineSeconds": 300,
    "onDailyLoss": "Flatten", "onLossVelocity": "Flatten", "onOrderFault": "CancelOrders",
}  # fmt: skip
ANSWERS = ("onDrawdown", "onDailyLoss", "onLossVelocity", "onOrderFault", "onOutage")
WORDS = dict.fromkeys(ANSWERS, ("HaltEntries", "Flatten")) | {"onLeaseExpiry": ("ReduceOnly", "Halted")}
"""looser, tighter"""
LONGER_IS_TIGHTER = ("stopCooldownSeconds", "lossVelocitySeconds")


def said(*what: str, who: str = "walt") -> str:
    return (
        f"this loosens ({', '.join(what)}), which needs the verb loosen on tradingpolicies.quantumtrader.io, "
        f"which {who} lacks: ask for the role quantum-trader-policy-admin"
    )


def _steps() -> list[tuple[str, Any, Any, Any]]:
    """Field, value now, one step looser, one step tighter."""
    now = {**DEFAULTS, **POLICY}
    steps: list[tuple[str, Any, Any, Any]] = []
    for field in limit_fields():
        if field == "instruments":
            continue
        if field in WORDS:
            steps.append((field, now[field], *WORDS[field]))
        else:
            outward = -1 if field in LONGER_IS_TIGHTER else 1
            steps.append((field, now[field], now[field] + outward, now[field] - outward))
    return steps


@pytest.mark.parametrize(("field", "now", "looser", "tighter"), _steps(), ids=[step[0] for step in _steps()])
async def test_each_limit_may_be_tightened_by_who_writes_and_loosened_by_who_has_the_verb(
    desk: Desk, field: str, now: Any, looser: Any, tighter: Any
) -> None:
    name = await desk.policy()
    denied(await desk.patch("tp", name, {field: looser}, WALT), "loosen", said(f"{field} {now} -> {looser}"))
    (await desk.patch("tp", name, {field: tighter}, WALT)).check()
    (await desk.patch("tp", name, {field: looser}, PAUL)).check()


async def test_an_added_instrument_loosens_and_a_removed_one_tightens(desk: Desk) -> None:
    name = await desk.policy()
    (await desk.patch("tp", name, {"instruments": ["BTCUSDT"]}, WALT)).check()
    added = ["SOLUSDT", "BTCUSDT", "ETHUSDT"]
    denied(await desk.patch("tp", name, {"instruments": added}, WALT), "loosen", said("instruments + SOLUSDT", "instruments + ETHUSDT"))
    (await desk.patch("tp", name, {"instruments": added}, PAUL)).check()


async def test_exchanging_one_instrument_for_another_loosens(desk: Desk) -> None:
    name = await desk.policy()
    denied(await desk.patch("tp", name, {"instruments": ["BTCUSDT", "SOLUSDT"]}, WALT), "loosen", said("instruments + SOLUSDT"))


async def test_another_selector_loosens_whichever_way_it_goes(desk: Desk) -> None:
    """Wider here may be narrower for the engines that leave."""
    name = await desk.policy()
    selector = {"matchLabels": {"desk": "a"}}
    denied(await desk.patch("tp", name, {"selector": selector}, WALT), "loosen", said("selector changed"))
    (await desk.patch("tp", name, {"selector": selector}, PAUL)).check()


async def test_suspending_loosens_and_resuming_does_not(desk: Desk) -> None:
    name = await desk.policy()
    denied(await desk.patch("tp", name, {"suspend": True}, WALT), "loosen", said("suspend false -> true"))
    (await desk.patch("tp", name, {"suspend": True}, PAUL)).check()
    denied(await desk.patch("tp", name, {"maxDrawdownBps": 901}, WALT), "loosen", said("maxDrawdownBps 900 -> 901"))
    (await desk.patch("tp", name, {"suspend": False}, WALT)).check()


async def test_one_refusal_names_everything_that_loosens(desk: Desk) -> None:
    name = await desk.policy()
    change = {"leaseSeconds": 90, "maxDrawdownBps": 2_000, "maxLeverageBps": 10_000}
    denied(await desk.patch("tp", name, change, WALT), "loosen", said("maxDrawdownBps 900 -> 2000", "leaseSeconds 60 -> 90"))


async def test_leaving_a_field_out_loosens_when_its_default_is_wider(desk: Desk) -> None:
    name = await desk.policy()
    remove = json.dumps([{"op": "remove", "path": "/spec/maxDrawdownBps"}])
    denied(await desk("patch", "tp", name, "--type=json", "-p", remove, who=WALT), "loosen", said("maxDrawdownBps 900 -> 1000"))
    shorter = {key: value for key, value in POLICY.items() if key != "onDrawdown"}
    replaced = {**an_object("TradingPolicy", {**shorter, "onDrawdown": "HaltEntries"}), "metadata": {"name": name}}
    answer = await desk("apply", "--server-side", "--force-conflicts", "-f", "-", given=replaced, who=WALT)
    denied(answer, "loosen", said("onDrawdown CancelOrders -> HaltEntries"))


async def test_deleting_a_policy_loosens_one_by_one_and_all_at_once(desk: Desk) -> None:
    name = await desk.policy()
    denied(await desk("delete", "tp", name, who=WALT), "loosen", said("the policy is deleted"))
    denied(await desk("delete", "tp", name, "--force", "--grace-period=0", who=WALT), "loosen", said("the policy is deleted"))
    path = "/apis/quantumtrader.io/v1alpha1/namespaces/trading/tradingpolicies"
    denied(await desk("delete", "--raw", path, who=WALT), "loosen", said("the policy is deleted"))
    (await desk("delete", "tp", name, who=PAUL)).check()


async def test_labels_are_not_limits(desk: Desk) -> None:
    (await desk("label", "tp", await desk.policy(), "team=a", who=WALT)).check()


async def test_a_gitops_controller_with_cluster_admin_tightens_but_does_not_loosen(desk: Desk) -> None:
    name = await desk.policy()
    (await desk.patch("tp", name, {"maxDrawdownBps": 800}, GITOPS)).check()
    denied(
        await desk.patch("tp", name, {"maxDrawdownBps": 900}, GITOPS), "loosen",
        "this loosens (maxDrawdownBps 800 -> 900), which needs the verb loosen on tradingpolicies.quantumtrader.io, "
        "which system:serviceaccount:gitops:controller has only by a wildcard: "
        "let a person do it, or name the account in admission.wildcardServiceAccounts",
    )  # fmt: skip


async def test_a_cluster_administrator_may_loosen(desk: Desk) -> None:
    (await desk.patch("tp", await desk.policy(), {"maxDrawdownBps": 2_000})).check()

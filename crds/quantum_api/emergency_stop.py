"""`EmergencyStop` (estop): stop now.  Pure.

A stop is latched: creating the object engages it, and only approvals by enough different people release it.
Who may approve is decided by the API server (charts/quantum-trader/templates/admission), not here.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from quantum_api import citations as cite
from quantum_api.citations import audited
from quantum_api.conditions import Conditions
from quantum_api.model import ApiModel, Rule, Transition
from quantum_api.selector import LabelSelector, Selector
from quantum_api.trading_policy import FleetCount, Instrument, StopAction

PLURAL = "emergencystops"
# A map literal: the API server's cost estimate for list.indexOf is unbounded.
_RANK = "{'HaltEntries': 0, 'CancelOrders': 1, 'Flatten': 2}"


class Approval(ApiModel):
    """One person's consent to release.  The API server checks that ``by`` is the one who writes it."""

    by: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description=audited("The person who approves, as the API server knows them.", unit="user name", source=cite.RTS6_15_3),
        ),
    ]
    comment: Annotated[str, Field(max_length=1024, description=audited("Why it is safe to go on.", unit="text"))] = ""


class Origin(ApiModel):
    """Set by the operator alone, for a stop that an engine pulled itself."""

    engine: Annotated[str, Field(min_length=1, max_length=253, description=audited("Engine pod that latched.", unit="pod name"))]
    latch_id: Annotated[str, Field(min_length=1, max_length=128, description=audited("The engine's own id of the latch.", unit="id"))]
    trigger: Annotated[
        str, Field(min_length=1, max_length=64, description=audited("What tripped it, for example Drawdown or Manual.", unit="word"))
    ]
    measured: Annotated[str, Field(max_length=64, description=audited("Measured value.", unit="as written beside it"))] = ""
    limit: Annotated[str, Field(max_length=64, description=audited("Limit value.", unit="as written beside it"))] = ""
    by: Annotated[
        str, Field(max_length=256, description=audited("Who halted by hand, as they said themselves; nobody checked it.", unit="name"))
    ] = ""
    tripped_at: Annotated[str, Field(max_length=40, description=audited("When the engine closed its gate.", unit="RFC 3339 time"))] = ""


class EmergencyStopSpec(ApiModel):
    """Desired stop."""

    RULES: ClassVar = (
        Rule(
            "!has(self.symbols) || size(self.symbols) == 0 || !has(self.origin)",
            "symbols must be empty on a stop that an engine pulled itself: the whole engine is latched",
            lambda spec: not spec.symbols or spec.origin is None,
            ".symbols",
        ),
    )
    TRANSITIONS: ClassVar = (
        Transition(
            f"{_RANK}[self.action] >= {_RANK}[oldSelf.action]",
            "action may only grow stronger: HaltEntries < CancelOrders < Flatten",
            lambda old, new: new.action.strength >= old.action.strength,
        ),
        Transition("self.reason == oldSelf.reason", "reason is immutable", lambda old, new: new.reason == old.reason),
        Transition(
            "has(self.selector) == has(oldSelf.selector) && (!has(self.selector) || self.selector == oldSelf.selector)",
            "selector is immutable: create another stop to stop more",
            lambda old, new: new.selector == old.selector,
        ),
        Transition(
            "has(self.symbols) == has(oldSelf.symbols) && (!has(self.symbols) || self.symbols == oldSelf.symbols)",
            "symbols is immutable: create another stop to stop more",
            lambda old, new: new.symbols == old.symbols,
        ),
        Transition(
            "has(self.origin) == has(oldSelf.origin) && (!has(self.origin) || self.origin == oldSelf.origin)",
            "origin is immutable",
            lambda old, new: new.origin == old.origin,
        ),
    )
    selector: Selector = LabelSelector()
    symbols: Annotated[
        list[Instrument],
        Field(
            max_length=100,
            description=audited("Stop only these symbols; empty stops the whole engine.", unit="exchange symbol", source=cite.FIA_KILL),
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = []
    action: Annotated[
        StopAction,
        Field(
            strict=False,
            description=audited(
                "HaltEntries (no new exposure) < CancelOrders (and cancel what rests) < Flatten (and close every position).",
                unit="action",
                source=cite.RTS6_12,
            ),
        ),
    ]
    reason: Annotated[
        str,
        Field(min_length=1, max_length=1024, description=audited("Why, for whoever is called at night.", unit="text", source=cite.RTS6_12)),
    ]
    origin: Annotated[
        Origin | None, Field(description=audited("Which engine pulled the stop itself; written by the operator alone.", unit="object"))
    ] = None
    approvals: Annotated[
        list[Approval],
        Field(
            max_length=16,
            description=audited(
                "Release approvals, each by another person, each written by that person.", unit="approvals", source=cite.RTS6_15_3
            ),
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["by"]},
        ),
    ] = []


class EngineProgress(ApiModel):
    """How far one engine is."""

    name: Annotated[str, Field(max_length=253, description="Engine pod.")]
    gate: Annotated[str, Field(max_length=16, description="Its gate now.")] = ""
    gate_closed_at: Annotated[str, Field(max_length=40, description="When the gate was closed and on disk, RFC 3339.")] = ""
    orders_cancelled_at: Annotated[str, Field(max_length=40, description="When the exchange showed no open order, RFC 3339.")] = ""
    positions_flat_at: Annotated[str, Field(max_length=40, description="When the exchange showed no position, RFC 3339.")] = ""
    released_at: Annotated[str, Field(max_length=40, description="When the engine cleared the latch, RFC 3339.")] = ""
    message: Annotated[str, Field(max_length=512, description="What it waits for.")] = ""


class EmergencyStopStatus(ApiModel):
    """Per phase how far every engine is."""

    observed_generation: Annotated[int, Field(ge=0, description="metadata.generation this status was computed for.")] = 0
    last_handled_reconcile_at: Annotated[
        str, Field(max_length=64, description="Echo of the requestedAt annotation that was handled last.")
    ] = ""
    approvals: Annotated[str, Field(max_length=16, description="given/required, for printing.")] = ""
    released_by: Annotated[
        list[Annotated[str, Field(max_length=256)]],
        Field(max_length=16, description="Who released it.", json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = []
    engines: Annotated[FleetCount, Field(description="The engines this stop selects, and those that have it latched.")] = FleetCount()
    progress: Annotated[
        list[EngineProgress],
        Field(
            max_length=1000,
            description="Per engine how far it is.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    conditions: Conditions = []

"""Ordered faults: what goes wrong, for whom, how often.  Pure.

In    fault orders of the control API; a request or a stream message that is about to happen
Out   the fault that strikes it, its count used up
Flow  control API -> HERE <- rest.server, streams
Why   a closed list of the ways in which a venue fails; each can be told apart in the order log
"""

from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    ACCEPT_THEN_503 = "accept_then_503"
    """Carry it out, then answer 503 "Unknown error": execution status unknown."""
    DROP_ANSWER = "drop_answer"
    """Carry it out, then close the connection without an answer."""
    HTTP_503_UNKNOWN = "http_503_unknown"
    """Do nothing, answer 503 "Unknown error": the client cannot know that nothing was done."""
    HTTP_503_SERVICE_UNAVAILABLE = "http_503_service_unavailable"
    """Do nothing, answer 503 "Service Unavailable": a definite failure."""
    RATE_LIMIT_429 = "rate_limit_429"
    BAN_418 = "ban_418"
    DELAY_MS = "delay_ms"
    STREAM_SILENT = "stream_silent"
    """Connections stay, pings are answered, no event comes."""
    STREAM_CUT = "stream_cut"
    """Connections are closed, new ones are refused while it lasts."""
    STREAM_DELAY = "stream_delay"
    """User events come ``delay_ms`` later, in their order; REST answers at once."""
    STREAM_SWAP = "stream_swap"
    """ACCOUNT_UPDATE is sent before the ORDER_TRADE_UPDATE of the same command, not after it."""
    STREAM_DUPLICATE = "stream_duplicate"
    """User events are sent twice."""
    REJECT_CODE = "reject_code"
    """Do nothing, answer the given code."""


STREAM_KINDS = frozenset(
    {FaultKind.STREAM_SILENT, FaultKind.STREAM_CUT, FaultKind.STREAM_DELAY, FaultKind.STREAM_SWAP, FaultKind.STREAM_DUPLICATE}
)


@dataclass(slots=True)
class Fault:
    kind: FaultKind
    id: int = 0
    account: str = ""
    """Empty: every account."""
    path: str = ""
    """Prefix of the path, empty: every path."""
    method: str = ""
    event: str = ""
    """Type of the stream event (``ORDER_TRADE_UPDATE``, …), empty: every one."""
    left: int | None = None
    """How many more times; ``None``: until the time, or until deleted."""
    until_ms: int | None = None
    delay_ms: int = 0
    code: int = -1000
    message: str = "An unknown error occurred while processing the request."
    http_status: int = 400
    retry_after_seconds: int = 1
    exempt_reduce_only: bool = False
    struck: int = 0

    def matches(self, account: str, path: str, method: str, now_ms: int) -> bool:
        if self.left == 0 or (self.until_ms is not None and now_ms >= self.until_ms):
            return False
        return self.account in {"", account} and path.startswith(self.path) and self.method in {"", method}


@dataclass(slots=True)
class Faults:
    ordered: list[Fault] = field(default_factory=list)
    _last_id: int = 0

    def order(self, fault: Fault) -> Fault:
        self._last_id += 1
        fault.id = self._last_id
        self.ordered.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> int:
        kept = [] if fault_id is None else [each for each in self.ordered if each.id != fault_id]
        removed = len(self.ordered) - len(kept)
        self.ordered = kept
        return removed

    def strike(self, account: str, path: str, method: str, now_ms: int, reduce_only: bool = False) -> list[Fault]:
        """The faults for this request: every delay, and the first other one."""
        if not self.ordered:
            return []
        struck: list[Fault] = []
        for fault in self.ordered:
            is_delay = fault.kind is FaultKind.DELAY_MS
            if fault.kind in STREAM_KINDS or (fault.exempt_reduce_only and reduce_only):
                continue
            if not is_delay and any(each.kind is not FaultKind.DELAY_MS for each in struck):
                continue
            if fault.matches(account, path, method, now_ms):
                struck.append(self._use(fault))
        return struck

    def struck_stream(self, kind: FaultKind, account: str, path: str, now_ms: int, event: str = "") -> Fault | None:
        """The fault of this kind that hits this stream message (or connection).  Uses one count."""
        for fault in self.ordered:
            if fault.kind is kind and fault.event in {"", event} and fault.matches(account, path, "", now_ms):
                return self._use(fault)
        return None

    def _use(self, fault: Fault) -> Fault:
        fault.struck += 1
        if fault.left is not None:
            fault.left -= 1
        return fault

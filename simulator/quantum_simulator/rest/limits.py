"""The venue's rate limits: fixed windows per IP (weight) and per account (orders), and the ban after ignoring them.  Pure.

In    an IP or account, a cost, the time
Out   what is used so far, or ``RateRefusal`` (429, then 418) with seconds to wait
Flow  rest.server -> HERE
Why   fixed windows that reset on the minute, not sliding ones: a client that mirrors them must be able to be right
"""

from dataclasses import dataclass, field

from quantum_simulator.refusals import VenueRefusal

TEN_SECONDS_MS = 10_000
MINUTE_MS = 60_000
BAN_MS = 2 * MINUTE_MS
REQUESTS_BEFORE_BAN = 20


class RateRefusal(VenueRefusal):
    """Refused for frequency; ``Retry-After`` says how long."""

    def __init__(self, code: int, message: str, http_status: int, retry_after_seconds: int) -> None:
        super().__init__(code, message, http_status)
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class Window:
    length_ms: int
    number: int = -1
    used: int = 0

    def add(self, cost: int, now_ms: int) -> int:
        number = now_ms // self.length_ms
        if number != self.number:
            self.number, self.used = number, 0
        self.used += cost
        return self.used

    def seconds_left(self, now_ms: int) -> int:
        return -(-(self.length_ms - now_ms % self.length_ms) // 1_000)


@dataclass(slots=True)
class IpUse:
    weight: Window = field(default_factory=lambda: Window(MINUTE_MS))
    overrun: int = 0
    banned_until_ms: int = 0


@dataclass(slots=True)
class OrderUse:
    ten_seconds: Window = field(default_factory=lambda: Window(TEN_SECONDS_MS))
    minute: Window = field(default_factory=lambda: Window(MINUTE_MS))


@dataclass(slots=True)
class RateLimits:
    weight_per_minute: int = 2_400
    orders_per_ten_seconds: int = 300
    orders_per_minute: int = 1_200
    _ips: dict[str, IpUse] = field(default_factory=dict)
    _orders: dict[str, OrderUse] = field(default_factory=dict)

    def use_weight(self, ip: str, weight: int, now_ms: int) -> int:
        use = self._ips.setdefault(ip, IpUse())
        if now_ms < use.banned_until_ms:
            raise self._banned(ip, use, now_ms)
        used = use.weight.add(weight, now_ms)
        if used <= self.weight_per_minute:
            use.overrun = 0
            return used
        use.overrun += 1
        if use.overrun > REQUESTS_BEFORE_BAN:
            use.banned_until_ms, use.overrun = now_ms + BAN_MS, 0
            raise self._banned(ip, use, now_ms)
        message = (
            f"Too many requests; current limit of IP({ip}) is {self.weight_per_minute} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        raise RateRefusal(-1003, message, 429, use.weight.seconds_left(now_ms))

    def _banned(self, ip: str, use: IpUse, now_ms: int) -> RateRefusal:
        message = (
            f"Way too many requests; IP({ip}) banned until {use.banned_until_ms}. Please use the websocket for live updates to avoid bans."
        )
        return RateRefusal(-1003, message, 418, -(-(use.banned_until_ms - now_ms) // 1_000))

    def ban(self, ip: str, seconds: int, now_ms: int) -> RateRefusal:
        use = self._ips.setdefault(ip, IpUse())
        use.banned_until_ms = now_ms + seconds * 1_000
        return self._banned(ip, use, now_ms)

    def lift_bans(self) -> None:
        for use in self._ips.values():
            use.banned_until_ms = use.overrun = 0

    def weight_used(self, ip: str, now_ms: int) -> int:
        return self._ips.setdefault(ip, IpUse()).weight.add(0, now_ms)

    def use_order(self, account: str, now_ms: int, short_cost: int = 1, long_cost: int = 1) -> tuple[int, int]:
        """Count an order (a batch has its own costs); over the limit it is refused (-1015), which is no ban."""
        use = self._orders.setdefault(account, OrderUse())
        short, long = use.ten_seconds.add(short_cost, now_ms), use.minute.add(long_cost, now_ms)
        for used, limit, name, window in (
            (short, self.orders_per_ten_seconds, "TEN_SECONDS", use.ten_seconds),
            (long, self.orders_per_minute, "MINUTE", use.minute),
        ):
            if used > limit:
                message = f"Too many new orders; current limit is {limit} orders per {name}."
                raise RateRefusal(-1015, message, 400, window.seconds_left(now_ms))
        return short, long

    def orders_used(self, account: str, now_ms: int) -> tuple[int, int]:
        use = self._orders.setdefault(account, OrderUse())
        return use.ten_seconds.add(0, now_ms), use.minute.add(0, now_ms)

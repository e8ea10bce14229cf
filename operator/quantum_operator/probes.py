"""Serves metrics and two probes that say what they checked.

In    ages of the last pass, LISTs and watch events; keys
Out   GET /healthz (is the loop alive?), GET /readyz (does it know the world and can it sign?), GET /metrics
Flow  kubelet, Prometheus -> HERE
Why   liveness must not fail because the API server is down: a restart would cure nothing and forget every report
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


Checks = Callable[[], list[Check]]


def application(live: Checks, ready: Checks) -> web.Application:
    app = web.Application()
    app.router.add_get("/healthz", _handler(live))
    app.router.add_get("/readyz", _handler(ready))
    app.router.add_get("/metrics", _metrics)
    return app


def age_check(name: str, at: float | None, now: float, limit_seconds: float | None) -> Check:
    """``limit_seconds`` None = told, not judged."""
    if at is None:
        return Check(name, limit_seconds is None, "never")
    age = now - at
    limit = "" if limit_seconds is None else f", at most {limit_seconds:.0f} s"
    return Check(name, limit_seconds is None or age <= limit_seconds, f"{age:.1f} s ago{limit}")


def _handler(checks: Checks) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        found = checks()
        ok = all(check.ok for check in found)
        return web.json_response({"ok": ok, "checks": [asdict(c) for c in found]}, status=200 if ok else 503)

    return answer


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

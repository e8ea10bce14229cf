"""A simulated venue in a process of its own that remembers when each request arrived, on the clock that all processes share.

In    one line of text on stdin: give what arrived since the last line
Out   one line of JSON on stdout: first the addresses, then per line the requests as [monotonic seconds, "METHOD path"]
Why   "on the wire" is when the other side has it, not when the client believes to have sent it; CLOCK_MONOTONIC is one for the machine
"""

import asyncio
import json
import sys
import time
from decimal import Decimal

import uvloop
from aiohttp import web

from quantum_simulator.core.accounts import Account
from quantum_simulator.rest.limits import RateLimits
from quantum_simulator.venue import Venue, VenueOptions

ROOMY = 1_000_000


class StampingVenue(Venue):
    """The venue, unchanged but for the stamps."""

    arrived: list[tuple[float, str]]

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.arrived.append((time.monotonic(), f"{request.method} {request.raw_path.partition('?')[0]}"))
        return await super()._answer(request)


async def serve() -> None:
    account = Account("alpha", "key-alpha", "secret-alpha", Decimal(1_000_000))
    venue = StampingVenue([account], VenueOptions(limits=RateLimits(ROOMY, ROOMY, ROOMY)))
    venue.arrived = []
    async with venue:
        print(json.dumps({"rest": venue.base_url, "stream": venue.stream_url}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            arrived, venue.arrived = venue.arrived, []
            print(json.dumps(arrived), flush=True)


if __name__ == "__main__":
    uvloop.run(serve())

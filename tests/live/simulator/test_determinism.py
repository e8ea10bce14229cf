"""Over real sockets too: two venues that are told the same say the same, byte for byte."""

import aiohttp

from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions

START_MS = 1_795_000_000_000


async def lived(client_type, session: aiohttp.ClientSession, accounts: list[Account]) -> tuple[bytes, list[str]]:
    async with Venue(accounts, VenueOptions(is_hand_stepped=True, start_ms=START_MS, seed=11)) as venue:
        client = client_type(venue, session, "alpha")
        stream = await client.user_stream()
        await client.control("POST", "faults", {"kind": "stream_swap", "count": 1})
        await client.control("POST", "shock", {"symbol": "BTCUSDT", "bps": -400, "seconds": 2})
        for number in range(4):
            await client.order("BUY", "0.1", newClientOrderId=f"entry-{number}")
            await client.order("BUY", "0.1", price="88000", newClientOrderId=f"bid-{number}")
            await client.control("POST", "step", {"ms": 700})
        await client.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        await client.order("SELL", "9", reduceOnly="true", newClientOrderId="exit")
        async with session.get(f"{venue.control_url}/control/orders") as response:
            log = await response.read()
        heard = []
        while not heard or '"c":"exit"' not in heard[-1] or '"X":"EXPIRED"' not in heard[-1]:
            heard.append(await stream.receive_str(timeout=5))
        return log, heard


async def test_two_venues_that_are_told_the_same_say_the_same(alpha) -> None:
    def accounts() -> list[Account]:
        return [Account("alpha", "key-alpha", "secret-alpha", alpha.venue.accounts["alpha"].wallet)]

    first, second = [await lived(type(alpha), alpha.session, accounts()) for _ in range(2)]
    assert first == second
    assert len(first[1]) > 20

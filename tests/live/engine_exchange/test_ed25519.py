"""An account whose key is Ed25519, at the simulated venue, which holds only the public half."""

from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from quantum_engine.clock import SystemClock
from quantum_engine.domain import OrderIntent, OrderStatus, Side
from quantum_engine.exchanges.binance_futures.account_file import read_signer
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Endpoint
from quantum_engine.exchanges.binance_futures.signing import Ed25519Credentials
from quantum_engine.exchanges.port import AccountRefusedError
from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions


async def test_orders_are_signed_by_the_private_key_and_another_key_is_told_what_to_check(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    path = tmp_path / "engine-0.json"
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().replace("\n", "\\n")
    path.write_text(f'{{"apiKey": "key-alpha", "privateKey": "{text}"}}')
    account = Account("alpha", "key-alpha", "", Decimal(10_000), public_key=key.public_key())
    async with Venue([account], VenueOptions()) as venue:
        endpoint = Endpoint(venue.base_url, venue.stream_url)
        ours = BinanceFutures(endpoint, read_signer(path), SystemClock())
        other = BinanceFutures(endpoint, Ed25519Credentials("key-alpha", Ed25519PrivateKey.generate()), SystemClock())
        try:
            for number in range(20):
                order = await ours.place(OrderIntent("i", "BTCUSDT", Side.BUY, Decimal("0.010")), f"id:{number}/x")
                assert order.status is OrderStatus.FILLED
            with pytest.raises(AccountRefusedError, match="check that the account file's secret or private key belongs to its apiKey"):
                await other.account()
        finally:
            await ours.close()
            await other.close()

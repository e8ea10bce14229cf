"""The venue as the tests see it: its log and books as evidence, its market and faults to order."""

from typing import Any

from tests.chaos import laws

from quantum_demo.venue import VenueControl

PAGE = 100_000


class Witness(VenueControl):
    """The venue's control port."""

    async def accounts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._call("GET", "/control/accounts")
        return found

    async def log(self, since: int = 0) -> list[dict[str, Any]]:
        """Everything after entry ``since``, oldest first, whole."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self._call("GET", f"/control/orders?sinceSeq={found[-1]['seq'] if found else since}&limit={PAGE}")
            found += page
            if len(page) < PAGE:
                break
        numbers = [entry["seq"] for entry in found]
        assert numbers == list(range(since + 1, since + 1 + len(found))), "the venue's log has a gap"
        return found

    async def newest(self, since: int = 0) -> int:
        """Number of the newest entry."""
        log = await self.log(since)
        return int(log[-1]["seq"]) if log else since

    async def fault(self, kind: str, **fault: Any) -> int:
        (ordered,) = await self._call("POST", "/control/faults", {"kind": kind, **fault})
        return int(ordered["id"])

    async def struck(self, fault: int) -> int:
        """How often a fault struck."""
        return next(int(each["struck"]) for each in await self._call("GET", "/control/faults") if each["id"] == fault)

    async def end_faults(self) -> None:
        await self._call("DELETE", "/control/faults")

    async def deposit(self, account: str, amount_usdt: str) -> None:
        await self._call("POST", "/control/deposit", {"account": account, "amountUsdt": amount_usdt})

    async def is_flat(self) -> bool:
        return not laws.flat(await self.accounts())

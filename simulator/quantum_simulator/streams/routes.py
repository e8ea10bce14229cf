"""Opens a stream connection and serves its SUBSCRIBE and UNSUBSCRIBE messages.

In    an aiohttp request under /public, /market or /private
Out   a live connection in the hub, until either side ends it
Flow  socket -> HERE -> hub
Why   only the routes of the split of 2026 exist; the retired /ws and /stream answer 404, so an old client fails loudly
"""

import asyncio
import re
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from aiohttp import WSMsgType, web

from quantum_simulator.faults import FaultKind
from quantum_simulator.rest.parameters import parse
from quantum_simulator.state import VenueState
from quantum_simulator.streams.hub import Connection, Hub

PATH: Final = re.compile(r"/(?P<route>public|market|private)/(?P<kind>ws|stream)(?:/(?P<rest>.+))?")
PING_SECONDS: Final = 180.0
encode = msgspec.json.Encoder().encode


class StreamServer:
    """Answers WebSocket upgrades."""

    def __init__(self, state: VenueState, hub: Hub) -> None:
        self._state = state
        self._hub = hub

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        match = PATH.fullmatch(path)
        if match is None:
            return web.Response(status=404)
        route, params = match["route"], parse(query)
        key = match["rest"] or params.get("listenKey", "")
        account = self._owner(key) if route == "private" else ""
        if route == "private" and key and not account:
            return web.json_response({"code": -1125, "msg": "This listenKey does not exist."}, status=400)
        if self._state.faults.struck_stream(FaultKind.STREAM_CUT, account, f"/{route}", self._state.clock.now_ms()):
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=True, heartbeat=PING_SECONDS, compress=False, max_msg_size=64 * 1024, timeout=1.0)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, route, match["kind"] == "stream", account)
        self._hub.add(connection)
        if route != "private":
            self._hub.subscribe(connection, _named_streams(match["rest"], params.get("streams")))
        try:
            await self._serve(connection)
        finally:
            self._hub.remove(connection)
            await connection.finish()
        return socket

    def _owner(self, key: str) -> str:
        return self._state.listen_keys.owner(unquote(key)) or ""

    async def _serve(self, connection: Connection) -> None:
        try:
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    connection.send(encode(self._command(connection, message.data)).decode())
        except (ConnectionError, asyncio.CancelledError):
            return

    def _command(self, connection: Connection, text: str) -> dict[str, Any]:
        try:
            command = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        number, streams = command.get("id"), command.get("params", [])
        if not isinstance(streams, list) or not all(isinstance(each, str) for each in streams):
            return {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}, "id": number}
        match command.get("method"):
            case "SUBSCRIBE" | "UNSUBSCRIBE" if connection.route == "private":
                return self._private_command(connection, command["method"], streams, number)
            case "SUBSCRIBE":
                self._hub.subscribe(connection, streams)
            case "UNSUBSCRIBE":
                self._hub.unsubscribe(connection, streams)
            case "LIST_SUBSCRIPTIONS":
                return {"result": sorted(connection.streams), "id": number}
            case other:
                return {"error": {"code": 2, "msg": f"Invalid request: unknown variant `{other}`"}, "id": number}
        return {"result": None, "id": number}

    def _private_command(self, connection: Connection, method: str, keys: list[str], number: Any) -> dict[str, Any]:
        """On the private route a stream is named by its listen key; one account per connection."""
        owners = {self._owner(key) for key in keys}
        if len(owners) != 1 or "" in owners:
            return {"error": {"code": -1125, "msg": "This listenKey does not exist."}, "id": number}
        self._hub.attach(connection, owners.pop() if method == "SUBSCRIBE" else "")
        return {"result": None, "id": number}


def _named_streams(path: str | None, query: str | None) -> list[str]:
    return [unquote(each) for each in (query or path or "").split("/") if each]

"""What the routes of the control surface share: bounded bodies, bearer tokens, answers."""

import hmac
import json
from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from quantum_api.model import ApiModel

JSON: Final = "application/json"


async def bounded_body(request: Request, most_bytes: int) -> bytes | None:
    """The body, or None when it is too large to be ours."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def bears(request: Request, token: bytes) -> bool:
    """Whether the request bears this bearer token; takes the same time for every wrong one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token)


def answer(model: ApiModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(by_alias=True, exclude_none=True), status_code=status, media_type=JSON)


def problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps({"message": message}), status_code=status, media_type=JSON, headers=headers)

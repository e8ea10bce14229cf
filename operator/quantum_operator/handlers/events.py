"""Registers one low-level handler per watched resource: hand over, return.

In    kopf's raw watch events
Out   a call per event; no finalizer, no annotation, no patch is ever made
Flow  kube-apiserver -> kopf -> HERE -> world
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import kopf

from quantum_api import names
from quantum_operator.objects import Raw
from quantum_operator.world import KIND_OF, Resource

Feed = Callable[[Resource, str | None, Raw], None]
Login = Callable[[], Awaitable[kopf.ConnectionInfo]]

_ERROR_BACKOFFS: Final = (0.1, 0.2, 0.5, 1.0, 1.0)


class NothingRemembered(kopf.DiffBaseStorage):
    """No last-handled state: nothing is diffed, so nothing is copied per event (a quarter of the framework's time) or kept on objects."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        raise NotImplementedError("a low-level handler has no state to keep")


def registry(feed: Feed, login: Login) -> kopf.OperatorRegistry:
    """Handlers of their own registry, so that two operators may live in one process."""
    found = kopf.OperatorRegistry()

    @kopf.on.login(registry=found)
    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await login()

    for resource, kind in KIND_OF.items():
        kopf.on.event(names.GROUP, names.VERSION, kind.plural, registry=found, id=f"see-{resource}")(_handler(resource, feed))
    kopf.on.event("", "v1", "pods", registry=found, id="see-engines")(_handler(Resource.ENGINES, feed))
    return found


def _handler(resource: Resource, feed: Feed) -> Callable[..., Awaitable[None]]:
    async def see(event: Any, **_: Any) -> None:
        feed(resource, event["type"], event["object"])

    return see


def settings() -> kopf.OperatorSettings:
    """Framework settings: namespaced rights only, nothing written, dead streams noticed, no long silences after errors."""
    found = kopf.OperatorSettings()
    found.peering.standalone = True
    found.scanning.disabled = True
    found.posting.enabled = False
    found.process.ultimate_exiting_timeout = None
    found.persistence.finalizer = f"{names.GROUP}/operator"
    found.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=names.GROUP)
    found.persistence.diffbase_storage = NothingRemembered()
    found.networking.request_timeout = 15.0
    found.networking.connect_timeout = 5.0
    found.networking.error_backoffs = _ERROR_BACKOFFS
    found.watching.server_timeout = 600  # whole: it goes into the query as it is
    found.watching.client_timeout = 660.0
    found.watching.label_selectors["", "v1", "pods"] = names.ENGINE_SELECTOR
    return found

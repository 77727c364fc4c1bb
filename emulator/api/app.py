"""The whole route table on one screen."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.requests import Request
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.api import (
    account,
    control,
    deliveries,
    documents,
    events,
    faults,
    images,
    inboxes,
    journal,
    media,
    state,
    tasks,
)
from emulator.api.connections import Connections
from emulator.api.finished import Finished
from emulator.api.guard import Guard, Guarded
from emulator.api.http import UNKNOWN_OPERATION, Call, api_key
from emulator.api.middleware import Envelope
from emulator.core.errors import Refusal, shown
from emulator.service.services import Services

Handler = Callable[[Request, Services], Awaitable[ASGIApp]]
Pages = Sequence[tuple[str, str, Handler]]  # method, path, handler
Lifespan = Callable[[object], AbstractAsyncContextManager[None]]

HEALTH = "/_emulator/health"
PROBES = (HEALTH, f"{HEALTH}/live", f"{HEALTH}/ready")  # control routes that anybody may ask
PREFIXES = ("/v1", "/api/v1")  # BASE-1

V1: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", "/tasks/{task_id}", tasks.read, "getTask"),
    ("POST", "/images/generations", images.create, "createImageTask"),
    ("POST", "/images/generations/sync", images.create_and_wait, "createImageSync"),
    ("POST", "/images/edits", images.edit, "editImage"),
    ("POST", "/images/upload", images.upload, "uploadImage"),
    ("GET", "/credits/balance", account.balance, "getBalance"),
    ("GET", "/models", account.models, "listModels"),
)
PUBLIC: tuple[tuple[str, str, Handler, str], ...] = (
    ("GET", "/media/uploads/{upload_id}", media.upload, "getUpload"),
    ("GET", "/media/{task_id}/{index}.png", media.picture, "getImage"),
    ("GET", "/llms.txt", documents.llms_txt, "getLlmsTxt"),
    ("GET", "/openapi.yaml", documents.openapi_yaml, "getOpenApiYaml"),
    ("GET", "/openapi.json", documents.openapi_json, "getOpenApiJson"),
)
CONTROL: tuple[tuple[str, str, Handler], ...] = (
    ("GET", HEALTH, control.health),
    ("GET", PROBES[1], control.live),
    ("GET", PROBES[2], control.ready),
    ("GET", "/_emulator/events", events.stream),
    ("GET", "/_emulator/clock", control.read_clock),
    ("POST", "/_emulator/clock", control.command_clock),
    ("GET", "/_emulator/account", control.account),
    ("DELETE", "/_emulator/account", state.delete_account),
    ("POST", "/_emulator/account/reset", state.reset_account),
    ("POST", "/_emulator/account/credits", state.force_credits),
    ("GET", "/_emulator/snapshot", state.export_snapshot),
    ("POST", "/_emulator/snapshot", state.import_snapshot),
    ("GET", "/_emulator/tasks", state.list_tasks),
    ("GET", "/_emulator/tasks/{task_id}", state.read_task),
    ("GET", "/_emulator/tasks/{task_id}/images/{index}", state.read_picture),
    ("POST", "/_emulator/tasks/{task_id}/finish", state.finish_task),
    ("GET", "/_emulator/ledger", control.ledger),
    ("GET", "/_emulator/deliveries", control.deliveries),
    ("GET", "/_emulator/faults", faults.list_faults),
    ("POST", "/_emulator/faults", faults.add),
    ("DELETE", "/_emulator/faults", faults.remove_all),
    ("DELETE", "/_emulator/faults/{number}", faults.remove),
    ("GET", "/_emulator/fault-catalogue", faults.catalogue),
    ("GET", "/_emulator/deliveries/{delivery_id}", deliveries.read),
    ("POST", "/_emulator/deliveries/{delivery_id}/redeliver", deliveries.redeliver),
    ("POST", "/_emulator/receiver-score", deliveries.score_receiver),
    ("GET", "/_emulator/inbox", inboxes.list_inboxes),
    ("GET", "/_emulator/inbox/{name}", inboxes.read),
    ("PUT", "/_emulator/inbox/{name}", inboxes.set_answers),
    ("POST", "/_emulator/inbox/{name}", inboxes.post),
    ("DELETE", "/_emulator/inbox/{name}", inboxes.delete),
    ("GET", "/_emulator/journal", journal.read),
    ("DELETE", "/_emulator/journal", journal.clear),
    ("GET", "/_emulator/journal/count", journal.count),
    ("GET", "/_emulator/keys", control.list_keys),
    ("POST", "/_emulator/keys", control.create_key),
    ("DELETE", "/_emulator/keys/{name:path}", control.revoke_key),
)


class Endpoint:
    """A handler as an ASGI application, with nothing between it and the router."""

    def __init__(self, handlers: dict[str, Handler], services: Services, operation: str) -> None:
        self._handlers = handlers
        self._services = services
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; errors are for the envelope."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        scope["call"].operation = self._operation
        response = await self._handlers[method](Request(scope, receive), self._services)
        await response(scope, receive, send)


class HotRoutes:
    """Finds the endpoints of creating and polling by a look-up; the router finds the rest.

    Args:
        router: takes every other request.
        endpoints: (method, path) -> endpoint, where a path may end in one parameter.
    """

    def __init__(self, router: ASGIApp, endpoints: Mapping[tuple[str, str], ASGIApp]) -> None:
        self._router = router
        self._exact: dict[tuple[str, str], ASGIApp] = {}
        self._by_head: dict[tuple[str, str], tuple[ASGIApp, str]] = {}
        for (method, path), endpoint in endpoints.items():
            head, _, tail = path.rpartition("/")
            if tail.startswith("{"):
                self._by_head[method, head] = (endpoint, tail.strip("{}"))
            else:
                self._exact[method, path] = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its endpoint."""
        app = self._router
        if scope["type"] == "http":
            method, path = scope["method"], scope["path"]
            head, _, tail = path.rpartition("/")
            if (method, path) in self._exact:
                app = self._exact[method, path]
            elif tail and (method, head) in self._by_head:
                app, name = self._by_head[method, head]
                scope["path_params"] = {name: tail}
        await app(scope, receive, send)


def routes(services: Services, pages: Pages = ()) -> list[BaseRoute]:
    """Build the routes: those of ``/v1`` under both prefixes."""
    table: list[tuple[str, str, Handler, str]] = [
        *(
            (method, prefix + path, call, name)
            for method, path, call, name in V1
            for prefix in PREFIXES
        ),
        *PUBLIC,
        *((method, path, call, "") for method, path, call in (*CONTROL, *pages)),
    ]
    by_path: dict[tuple[str, str], dict[str, Handler]] = {}
    for method, path, handler, operation in table:
        by_path.setdefault((path, operation), {})[method] = handler
    guard = Guard(services.settings)
    page_paths = {path for _, path, _ in pages}
    found: list[BaseRoute] = []
    for (path, operation), handlers in by_path.items():
        app: ASGIApp = Endpoint(handlers, services, operation)
        if path.startswith("/_emulator/") and path not in PROBES:
            app = Guarded(app, guard.check)
        elif path in page_paths:
            app = Guarded(app, guard.check_page)
        found.append(Route(path, app, methods=list(handlers)))
    return found


def build_app(
    services: Services,
    finished: Finished,
    connections: Connections,
    lifespan: Lifespan,
    pages: Pages = (),
) -> ASGIApp:
    """Build the ASGI application.

    Args:
        services: the use cases.
        finished: where requests are noted.
        connections: those that a fault may cut.
        lifespan: starts and stops what runs beside the requests.
        pages: what is for people, outside the API.
    """
    router = Router(
        routes(services, pages),
        redirect_slashes=False,
        default=NotFound(services),
        lifespan=lifespan,
    )
    hot = {
        (method, prefix + path): Endpoint({method: handler}, services, operation)
        for method, path, handler, operation in V1[:2]
        for prefix in PREFIXES
    }
    return Envelope(HotRoutes(router, hot), services, finished, connections)


class NotFound:
    """What no route takes; a known key's journal says so."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request."""
        if scope["type"] != "http":
            return
        call: Call = scope["call"]
        call.operation = UNKNOWN_OPERATION
        message = f"There is no route {shown(scope['path'])}; /llms.txt lists them."
        raise Refusal("not_found", message, account_id=await self._account_id(scope))

    async def _account_id(self, scope: Scope) -> str | None:
        if not scope["path"].startswith(PREFIXES):
            return None
        try:
            return await self._services.accounts.known_account(api_key(Request(scope)))
        except Refusal:
            return None

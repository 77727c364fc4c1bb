"""Models, the balance, the documentation, and the two prefixes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.api import account, app
from emulator.api.app import HotRoutes, Pages
from emulator.api.http import JsonAnswer, authenticate
from emulator.core.errors import Refusal
from emulator.service import tasks
from emulator.service.services import Services
from tests.contracts.mutants.mutant import Mutant, Patch
from tests.contracts.mutants.patches import Json, around, handler
from tests.contracts.mutants.probe import Probe


def _model(**changes: Any) -> Patch:
    """Describe the model in another way; ``...`` leaves a field out."""

    def changed(original: Any, settings: Any) -> Json:
        described = {**original(settings), **changes}
        return {name: value for name, value in described.items() if value is not ...}

    return around(account, "_model", changed)


async def _for_keys_only(original: Any, request: Request, services: Services) -> ASGIApp:
    await authenticate(request, services)
    found: ASGIApp = await original(request, services)
    return found


async def _as_html(original: Any, request: Request, services: Services) -> ASGIApp:
    return HTMLResponse("<h1>Documentation</h1>")


def _without_balance(original: Any, services: Services, pages: Pages) -> list[BaseRoute]:
    found: list[BaseRoute] = original(services, pages)
    missing = "/api/v1/credits/balance"
    return [route for route in found if not isinstance(route, Route) or route.path != missing]


async def _without_tasks(
    original: Any, self: HotRoutes, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope.get("path", "").startswith("/api/v1/tasks/"):
        raise Refusal("not_found", "There is no such route.")
    await original(self, scope, receive, send)


def _check_as_known(original: Any, self: tasks.Tasks, caller: Any, request: Any) -> None:
    if request.model.startswith("gpt-"):
        return
    original(self, caller, request)


def _remember_the_first() -> Any:
    """The balance of an account is what it was at its first request."""
    told: dict[str, Any] = {}

    async def balance(original: Any, request: Request, services: Services) -> ASGIApp:
        caller = await authenticate(request, services)
        credits = told.setdefault(caller.account_id, caller.available)
        return JsonAnswer({"credits": credits, "currency": "credits"})

    return handler("getBalance", balance)()


def _models(probe: Probe, query: str = "") -> Any:
    return probe.get(f"/v1/models{query}").json()["data"]


MUTANTS = (
    Mutant(
        "models-have-no-price",
        "MOD-1",
        "The list of models does not say what one costs.",
        _model(pricing=...),
        lambda probe: "pricing" not in _models(probe)[0],
    ),
    Mutant(
        "models-have-another-price",
        "MOD-1",
        "The list of models says 20 credits for an image that costs 30.",
        _model(pricing={"credits_per_request": 20, "currency": "credits"}),
        lambda probe: _models(probe)[0]["pricing"]["credits_per_request"] == 20,
    ),
    Mutant(
        "models-need-a-key",
        "MOD-1",
        "The list of models is only told to a caller who sends a key.",
        handler("listModels", _for_keys_only),
        lambda probe: probe.get("/v1/models", None).status_code == 401,
    ),
    Mutant(
        "models-are-not-filtered",
        "MOD-1",
        "?q= does not filter the list of models.",
        around(account, "_matches", lambda original, model, wanted: True),
        lambda probe: len(_models(probe, "?q=no-such-model")) == 1,
    ),
    Mutant(
        "unknown-models-are-taken",
        "MOD-2",
        "A model that does not exist is taken, if its name begins with gpt-.",
        around(tasks.Tasks, "check", _check_as_known),
        lambda probe: probe.post(model="gpt-image-9").status_code == 202,
    ),
    Mutant(
        "the-balance-stands-still",
        "CRED-1",
        "The balance is always what it was at first.",
        _remember_the_first,
        lambda probe: probe.balance() == (probe.finished() and probe.balance()),
    ),
    Mutant(
        "the-other-prefix-has-no-balance",
        "BASE-1",
        "/api/v1/credits/balance is a 404.",
        around(app, "routes", _without_balance),
        lambda probe: probe.get("/api/v1/credits/balance").status_code == 404,
    ),
    Mutant(
        "the-other-prefix-has-no-tasks",
        "BASE-1",
        "A task can be read under /v1 only; under /api/v1 it is a 404.",
        around(HotRoutes, "__call__", _without_tasks),
        lambda probe: probe.get("/api" + probe.create()["poll_url"]).status_code == 404,
    ),
    Mutant(
        "the-index-is-a-web-page",
        "DOC-1",
        "/llms.txt is HTML.",
        handler("getLlmsTxt", _as_html),
        lambda probe: probe.get("/llms.txt").headers["content-type"].startswith("text/html"),
    ),
)

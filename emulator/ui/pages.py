"""The pages as HTML, and where they are."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from emulator import __version__
from emulator.api.app import Handler
from emulator.service.services import Services
from emulator.settings import Settings
from emulator.ui.assets import answer, asset
from emulator.ui.playground import page_data, size_tiles

INSPECTOR = ("tasks", "callbacks", "faults", "journal")


class Pages:
    """All pages of a server; each is made once, when it is first asked for.

    Args:
        settings: what the pages tell of the server.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, bytes] = {}

    def routes(self) -> tuple[tuple[str, str, Handler], ...]:
        """Where the pages are: method, path, handler."""
        return (
            ("GET", "/", self._page("playground")),
            ("GET", "/reference", self._page("reference")),
            ("GET", "/console", self._page("console")),
            ("GET", "/inspector", self._page("inspector", "tasks")),
            *(
                ("GET", f"/inspector/{section}", self._page("inspector", section))
                for section in INSPECTOR[1:]
            ),
            ("GET", "/inspector/tasks/{task_id}", self._page("inspector", "task")),
            ("GET", "/ui/{name:path}", asset),
        )

    def _page(self, name: str, section: str = "") -> Handler:
        async def handler(request: Request, services: Services) -> Response:
            made = self._made.get(name + section)
            if made is None:  # beside the requests: the first takes its time
                made = await asyncio.to_thread(self._make, name, section)
                self._made[name + section] = made
            return answer(request, made, "text/html; charset=utf-8")

        return handler

    def _make(self, name: str, section: str) -> bytes:
        from emulator.ui.templates import environment  # late: starting need not wait for it

        more: Callable[[Settings], dict[str, Any]] = _FACTS.get(name, lambda _: {})
        text = (
            environment()
            .get_template(f"{name}.html")
            .render(
                name=name,
                section=section,
                settings=self._settings,
                version=__version__,
                page_json=json.dumps(page_data(self._settings), ensure_ascii=False),
                **more(self._settings),
            )
        )
        return text.encode()


def _playground(settings: Settings) -> dict[str, Any]:
    from emulator.ui.reference import operation

    return {"tiles": size_tiles(), "operation": operation("createImageTask")}


def _reference(settings: Settings) -> dict[str, Any]:
    from emulator.ui.claims import claims
    from emulator.ui.reference import errors, operations

    return {"operations": operations(), "errors": errors(), "claims": claims().values()}


_FACTS: dict[str, Callable[[Settings], dict[str, Any]]] = {
    "playground": _playground,
    "reference": _reference,
}

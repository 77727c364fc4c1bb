"""How a bug is put into the emulator's code in this process, and taken out again."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from importlib import import_module
from typing import Any
from unittest.mock import patch

from starlette.requests import Request
from starlette.types import ASGIApp

from emulator.api import app
from emulator.api.http import JsonAnswer
from emulator.api.middleware import Envelope
from emulator.core import task_detail
from emulator.core.task import Task
from emulator.service.services import Services
from tests.contracts.mutants.mutant import Patch

Json = dict[str, Any]

# The emulator imports these late; while a bug is in, they would take it with them for good.
for late in ("http", "picture.inspect", "picture.renderer"):
    import_module(f"emulator.adapters.{late}")


def swap(owner: Any, name: str, value: object) -> Patch:
    """Give an attribute of a module or a class another value."""
    return lambda: patch.object(owner, name, value)


def entries(table: dict[Any, Any], changes: dict[Any, Any]) -> Patch:
    """Give entries of a table other values."""
    return lambda: patch.dict(table, changes)


def around(owner: Any, name: str, function: Callable[..., Any]) -> Patch:
    """Put ``function(original, *arguments)`` in the place of a function or method."""
    return swap(owner, name, _bound(getattr(owner, name), function))


def everywhere(original: Callable[..., Any], function: Callable[..., Any]) -> Patch:
    """Like ``around``, under every name by which the emulator's modules know a function."""
    replacement = _bound(original, function)
    return together(
        *(
            swap(module, name, replacement)
            for module in list(sys.modules.values())
            if getattr(module, "__name__", "").startswith("emulator.")
            for name, value in list(vars(module).items())
            if value is original
        )
    )


def together(*patches: Patch) -> Patch:
    """Several patches as one."""

    @contextmanager
    def all_of_them() -> Any:
        with ExitStack() as stack:
            for one in patches:
                stack.enter_context(one())
            yield

    return all_of_them


def handler(operation: str, function: Callable[..., Any]) -> Patch:
    """Answer an operation with ``await function(original, request, services)``."""

    def row(entry: tuple[str, str, Any, str]) -> tuple[str, str, Any, str]:
        method, path, original, name = entry
        return (method, path, partial(function, original), name) if name == operation else entry

    return together(
        *(swap(app, name, tuple(map(row, getattr(app, name)))) for name in ("V1", "PUBLIC"))
    )


def answers(operation: str, change: Callable[[Any], Any]) -> Patch:
    """Change the JSON that an operation answers where it does not refuse."""

    async def changed(original: Any, request: Request, services: Services) -> ASGIApp:
        answer = await original(request, services)
        return JsonAnswer(change(json.loads(answer._body)), answer._status)

    return handler(operation, changed)


def details(change: Callable[..., Json]) -> Patch:
    """Change a task's detail, in polls and callbacks: ``change(body, task, now, *the rest)``."""
    return everywhere(
        task_detail.task_detail,
        lambda original, *arguments: change(original(*arguments), *arguments),
    )


def result_of(task: Task, arguments: tuple[Any, ...]) -> Json:
    """A task's result, whenever; ``arguments``: the rest that ``details`` gives."""
    secret, media_ttl_ms = arguments[-2:]
    return task_detail.image_result(task, secret, media_ttl_ms)


def errors(change: Callable[[int, Json], tuple[int, Any]]) -> Patch:
    """Change status and body of what the emulator refuses; its headers stay."""

    def changed(original: Any, envelope: Envelope, *raised: Any) -> ASGIApp:
        answer = original(envelope, *raised)
        headers = {
            name.decode(): value.decode()
            for name, value in answer._headers
            if name not in (b"content-type", b"content-length")
        }
        status, body = change(answer._status, json.loads(answer._body))
        return JsonAnswer(body, status, headers)

    return around(Envelope, "_error", changed)


def _bound(original: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def replacement(*arguments: Any, **options: Any) -> Any:
        return function(original, *arguments, **options)

    return replacement

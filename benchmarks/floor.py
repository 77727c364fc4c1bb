"""The floor of the benchmark: the least that a server of this shape has to do.

A bare Starlette application under uvicorn that validates the creation body with Pydantic, does one
SQLite insert for each POST and one select by id for each GET. No key, no credits, no life of a
task. What the emulator does on top is what the ratios show.

    python benchmarks/floor.py --port 9000 --database floor.sqlite
"""

from __future__ import annotations

import argparse
import sqlite3
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

import uvicorn
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    size TEXT NOT NULL,
    resolution TEXT NOT NULL,
    quality TEXT NOT NULL,
    n INTEGER NOT NULL,
    callback_url TEXT,
    created_at TEXT NOT NULL
) WITHOUT ROWID
"""
INSERT = "INSERT INTO tasks VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = "SELECT id, status, model, created_at FROM tasks WHERE id = ?"
RATIO_OR_PIXELS = r"^(auto|[1-9]\d?:[1-9]\d?|[1-9]\d{2,3}x[1-9]\d{2,3})$"


class Creation(BaseModel):
    """The body of a creation, as strict as the API's own documents are."""

    model: str
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
    size: Annotated[str, StringConstraints(pattern=RATIO_OR_PIXELS)] = "auto"
    resolution: Literal["1K", "2K", "4K"] = "1K"
    quality: Literal["low", "medium", "high"] = "medium"
    n: Annotated[int, Field(strict=True, ge=1, le=10)] = 1
    callback_url: str | None = None
    input_images: Annotated[list[str], Field(max_length=16)] = []


def open_database(path: str) -> sqlite3.Connection:
    """Open the SQLite file at `path` with the settings that a server would choose."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(SCHEMA)
    return connection


def build_app(connection: sqlite3.Connection) -> Starlette:
    """Make the application that keeps its tasks in `connection`."""

    async def create(request: Request) -> Response:
        try:
            asked = Creation.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": {"message": str(error)}}, 400)
        task_id = f"task_{uuid4().hex}"
        wanted = (asked.size, asked.resolution, asked.quality, asked.n, asked.callback_url)
        created_at = datetime.now(UTC).isoformat()
        connection.execute(INSERT, (task_id, asked.model, asked.prompt, *wanted, created_at))
        return JSONResponse(
            {
                "task_id": task_id,
                "status": "pending",
                "poll_url": f"/v1/tasks/{task_id}",
                "request_id": f"req_{task_id[5:]}",
                "credits": {"reserved": 30 * asked.n},
            },
            202,
        )

    async def read(request: Request) -> Response:
        row = connection.execute(SELECT, (request.path_params["task_id"],)).fetchone()
        if row is None:
            return JSONResponse({"error": {"message": "no such task"}}, 404)
        task_id, status, model, created_at = row
        image = {"url": f"http://127.0.0.1/media/{task_id}/1.png?expires=0&signature=0"}
        return JSONResponse(
            {
                "task_id": task_id,
                "status": status,
                "model": model,
                "type": "image",
                "created_at": created_at,
                "completed_at": created_at,
                "result": {"created": 0, "data": [image]},
                "error": None,
                "credits": {"reserved": 30, "charged": 30, "refunded": 0},
            }
        )

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[
            Route("/v1/images/generations", create, methods=["POST"]),
            Route("/v1/tasks/{task_id}", read),
            Route("/_emulator/health", health),
        ]
    )


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description="The floor of the benchmark.")
    parser.add_argument("--port", type=int, required=True, help="TCP port on the loopback address")
    parser.add_argument("--database", required=True, help="path of the SQLite file")
    arguments = parser.parse_args()
    app = build_app(open_database(arguments.database))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()

"""The API's description: openapi.yaml, openapi.json and llms.txt."""

import json
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from emulator.service.services import Services

_LLMS_TXT = """# GPT-Image 2 API

> Asynchronous image generation and editing: create a task, poll it until it ends, then download
> the images within 24 hours.

## API
- [OpenAPI description](/openapi.yaml): every route, field and error, also as /openapi.json
- POST /v1/images/generations: create a task; answers 202 with task_id and poll_url
- GET /v1/tasks/{task_id}: poll a task until it has succeeded or failed
- POST /v1/images/generations/sync: create a task and wait for its end
- POST /v1/images/edits: edit images (multipart form)
- POST /v1/images/upload: upload a reference image (multipart form)
- GET /v1/credits/balance: credits that can be spent
- GET /v1/models: models, parameters and prices

## Authentication
- Authorization: Bearer YOUR_API_KEY on every call under /v1
"""


def openapi_file() -> Path:
    """Find openapi.yaml: inside the installed package, or at the root of a checkout."""
    installed = Path(__file__).parents[1] / "openapi.yaml"
    return installed if installed.exists() else Path(__file__).parents[2] / "openapi.yaml"


async def openapi_yaml(request: Request, services: Services) -> Response:
    """Answer the description as it is written."""
    return Response(openapi_file().read_bytes(), media_type="application/yaml")


async def openapi_json(request: Request, services: Services) -> Response:
    """Answer the description as JSON."""
    return Response(_as_json(), media_type="application/json")


async def llms_txt(request: Request, services: Services) -> Response:
    """Answer the plain-text index of the documentation (DOC-1)."""
    return Response(_LLMS_TXT, media_type="text/plain")


@cache
def _as_json() -> bytes:
    import yaml  # imported late: serving images does not need it

    return json.dumps(yaml.safe_load(openapi_file().read_bytes()), ensure_ascii=False).encode()

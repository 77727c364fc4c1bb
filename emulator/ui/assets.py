"""The pages' scripts, styles and pictures, by name."""

import gzip
import hashlib
from functools import cache, lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from emulator.core.errors import Refusal, shown
from emulator.service.services import Services

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_ASK_FIRST = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"
# Nothing of another site, nothing inline; pictures also from what the reader chose or wrote.
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types lit-html"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def asset_url(name: str) -> str:
    """Where a file is, at an address that another version of the files does not have."""
    return f"/ui/{_version()}/{name}"


async def asset(request: Request, services: Services) -> Response:
    """Answer a file of the pages; at its version's address the browser need not ask again."""
    name = request.path_params["name"]
    plain_name = name.removeprefix(f"{_version()}/")
    content = _files().get(plain_name)
    if content is None:
        raise Refusal("not_found", f"The pages have no file {shown(name)}.")
    caching = _FOR_EVER if plain_name != name else _ASK_FIRST
    return answer(request, content, _MEDIA_TYPES[Path(plain_name).suffix], caching)


def answer(
    request: Request, content: bytes, media_type: str, caching: str = _ASK_FIRST
) -> Response:
    """Answer what the browser may keep; by default it has to ask each time whether it still may."""
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'  # weak: zipped or not
    headers = {**_SECURITY, "ETag": etag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    headers["Content-Type"] = media_type
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = _zipped(content)
    return Response(content, 200, headers)


@lru_cache(maxsize=128)
def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@cache
def _version() -> str:
    """Differs once any file does."""
    contents = b"".join(content for _, content in sorted(_files().items()))
    return hashlib.sha256(contents).hexdigest()[:12]


@cache
def _files() -> dict[str, bytes]:
    """What may be asked for, as it was at first: a name that is not here leads nowhere."""
    return {
        path.relative_to(_FOLDER).as_posix(): path.read_bytes()
        for path in _FOLDER.rglob("*")
        if path.suffix in _MEDIA_TYPES
    }

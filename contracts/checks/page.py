"""The model's page, as far as its HTML tells without running it."""

import re
from collections.abc import Iterator
from html import unescape

from contracts.checks.evidence import is_emulator, status_of
from contracts.exchange import Exchange, media_type, split_url
from contracts.findings import Finding, breaks, holds, judges, unsupported
from contracts.view import View

_IDS = ("PAGE-1", "PAGE-2", "PAGE-3", "PAGE-4", "PAGE-5", "PAGE-6")
# What has to be found, each as alternatives in lower case.
_PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "PAGE-1": (("prompt",), ("size",), ("resolution",), ("quality",), ("json",), ("form",)),
    "PAGE-2": (("reference image",), ("16",)),
    "PAGE-3": (("usd", "$"), ("estimate",)),
    "PAGE-4": (("history",), ("running",), ("complete",)),
    "PAGE-5": (
        ("billing",), ("authentication", "authorization"), ("endpoint", "/v1/images/generations"),
        ("parameter",), ("request",), ("response",),
    ),
    "PAGE-6": (("api key",), ("console",)),
}  # fmt: skip


@judges(*_IDS)
def has_its_parts(view: View) -> Iterator[Finding]:
    """What the page at ``/`` has to have stands in its HTML (PAGE-1 to PAGE-6)."""
    for exchange in view.answered:
        if exchange.request.method != "GET" or not _is_root(view, exchange):
            continue
        kind = media_type(exchange.response.headers) if exchange.response else ""
        status = status_of(exchange)
        if status == 200 and kind == "text/html":
            yield from _judge_page(view, exchange)
        elif status < 500 and status != 429:
            told = f"GET / is no page: {status} {kind}".rstrip()
            yield from (unsupported(claim, told, exchange) for claim in _IDS)


def _is_root(view: View, exchange: Exchange) -> bool:
    base = split_url(view.trace.base_url)
    parts = split_url(exchange.request.url)
    return parts.netloc == base.netloc and parts.path.rstrip("/") == base.path.rstrip("/")


def _judge_page(view: View, exchange: Exchange) -> Iterator[Finding]:
    body = exchange.response.body.decode("utf-8", "replace") if exchange.response else ""
    text = " ".join(unescape(body).lower().split())
    is_drawn_by_scripts = re.search(r"<script\b", text) is not None
    for claim, parts in _PARTS.items():
        missing = [words[0] for words in parts if not any(word in text for word in words)]
        if not missing:
            yield holds(claim, exchange)
        elif is_emulator(view) or not is_drawn_by_scripts:
            yield breaks(claim, f"the page at / has no {', no '.join(missing)}", exchange)

"""What has to be known about traces that others recorded: what belongs to the API, which keys."""

from collections.abc import Iterator

from contracts.exchange import (
    API_PATH,
    CALLBACK,
    Exchange,
    Headers,
    split_url,
    without_fragment,
)
from contracts.redact import KEY_HEADERS, is_masked

_PUBLIC_PATHS = ("", "/", "/llms.txt")


def of_the_api(exchanges: list[Exchange]) -> list[Exchange]:
    """Leave out what a recorder met besides: other sites, other pages of the API's own."""
    linked = {link for one in exchanges for link in _links_in(one)}
    places = {_place(one.request.url) for one in exchanges if _is_call(one)}
    return [
        one
        for one in exchanges
        if one.direction == CALLBACK
        or _is_call(one)
        or without_fragment(one.request.url) in linked
        or (_place(one.request.url) in places and one.request.path in _PUBLIC_PATHS)
    ]


def _is_call(exchange: Exchange) -> bool:
    return API_PATH.match(exchange.request.path) is not None


def _place(url: str) -> tuple[str, str]:
    parts = split_url(url)
    return parts.scheme, parts.netloc


def _links_in(exchange: Exchange) -> Iterator[str]:
    """The links that a call's answer hands out, wherever in it."""
    response = exchange.response
    waiting = [response.json] if response is not None and _is_call(exchange) else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str) and value.startswith("http"):
            yield without_fragment(value)


def without_masked_keys(headers: Headers) -> Headers:
    """Leave out a key that a recorder replaced: ``***`` is not what the target was sent."""
    return tuple(
        (name, value)
        for name, value in headers
        if name.lower() not in KEY_HEADERS or not is_masked(value.rpartition(" ")[2])
    )

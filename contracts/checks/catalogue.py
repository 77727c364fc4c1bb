"""The list of models, and the index of the documentation."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from contracts.checks.evidence import (
    NO_ROUTE,
    answer_of,
    call_of,
    is_emulator,
    keys_are_recorded,
    outcome_of,
    shown,
    status_of,
    text_in,
)
from contracts.exchange import Exchange, fields_of, media_type, split_url
from contracts.field_rules import MODEL
from contracts.findings import Finding, breaks, holds, judged, judges, unsupported
from contracts.model import sent_key
from contracts.observed import MODELS
from contracts.prices import DEFAULT_IMAGE_CREDITS, assumed_price
from contracts.view import View

_INDEX = "/llms.txt"
_TEXTS = ("id", "object", "type", "display_name", "status", "owned_by")
_OBJECTS = ("pricing", "parameters")


def _entries(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The models of a list."""
    data = fields_of(answer_of(exchange)).get("data")
    return [fields_of(entry) for entry in data] if isinstance(data, list) else []


def _ids(exchange: Exchange) -> set[str]:
    return {text_in(entry, "id") for entry in _entries(exchange)}


def _search(exchange: Exchange) -> str:
    """What a list was searched for; empty where it was not."""
    return parse_qs(split_url(exchange.request.url).query).get("q", [""])[0]


def _lists(view: View) -> list[Exchange]:
    return [one for one in view.calls("GET", MODELS) if status_of(one) == 200]


@judges("MOD-1")
def models_have_their_members(view: View) -> Iterator[Finding]:
    """Each list of models has its members, and the models that were used (MOD-1)."""
    used = {one.wish.model: one.exchange for one in view.creations if one.accepted and one.wish}
    for exchange in view.calls("GET", MODELS):
        status = status_of(exchange)
        if status in NO_ROUTE:
            yield unsupported("MOD-1", f"{call_of(exchange)} is not there: {status}", exchange)
        if status != 200:
            continue
        problem = _list_problem(exchange, is_emulator(view))
        missing = [model for model in used if model not in _ids(exchange)]
        if problem is None and missing and not split_url(exchange.request.url).query:
            problem = f"{shown(missing[0])}, which creations use, is not in it"
        yield judged("MOD-1", problem is None, f"the list of models: {problem}", exchange)


def _list_problem(exchange: Exchange, is_strict: bool) -> str | None:
    """Say what is wrong with a list; None where nothing is.

    The document names the members; of what type they are, and that each entry has all of them,
    an emulator promises.
    """
    body = fields_of(answer_of(exchange))
    if body.get("object") != "list" or not isinstance(body.get("data"), list):
        return "it is no {object: list, data: [...]}"
    for number, entry in enumerate(_entries(exchange)):
        name = text_in(entry, "id") or f"entry {number}"
        if is_strict:
            wrong = [text for text in _TEXTS if not isinstance(entry.get(text), str)]
            wrong += [one for one in _OBJECTS if not isinstance(entry.get(one), dict)]
        elif name == MODEL:
            wrong = [member for member in (*_TEXTS, *_OBJECTS) if member not in entry]
        else:
            wrong = [] if text_in(entry, "id") else ["id"]
        if wrong:
            return f"{wrong[0]} of {name} is {shown(entry.get(wrong[0]))}"
    return None


@judges("MOD-1")
def listed_price_is_charged(view: View) -> Iterator[Finding]:
    """The price that an emulator lists is what creations reserve (MOD-1)."""
    listed = {
        text_in(entry, "id"): fields_of(entry.get("pricing")).get("credits_per_request")
        for exchange in _lists(view)
        for entry in _entries(exchange)
    }
    for creation in view.creations if is_emulator(view) else ():
        reserved = fields_of(creation.answer.get("credits")).get("reserved")
        price = listed.get(creation.wish.model) if creation.wish else None
        if creation.wish is None or type(price) is not int or type(reserved) is not int:
            continue
        if creation.expected is None or creation.expected.kind == "reject":
            continue
        default_images = assumed_price(creation.wish, "medium") / DEFAULT_IMAGE_CREDITS
        message = (
            f"{creation.wish.model} is listed with {price} credits, which makes"
            f" {price * default_images:.0f} for a creation that reserved {reserved}"
        )
        yield judged("MOD-1", reserved == price * default_images, message, creation.exchange)


@judges("MOD-1")
def models_need_no_key(view: View) -> Iterator[Finding]:
    """The list of models is told without a key (MOD-1)."""
    if not keys_are_recorded(view):
        return
    for exchange in view.calls("GET", MODELS):
        status = status_of(exchange)
        if sent_key(exchange.request.headers) is None and status in (200, 401, 403):
            message = f"{call_of(exchange)} without a key was answered {outcome_of(exchange)}"
            yield judged("MOD-1", status == 200, message, exchange)


@judges("MOD-1")
def search_narrows(view: View) -> Iterator[Finding]:
    """A list with ``q`` has those models of the whole list that have to do with it (MOD-1)."""
    whole = next((one for one in _lists(view) if not split_url(one.request.url).query), None)
    for exchange in _lists(view) if whole is not None else ():
        wanted = _search(exchange).lower()
        if not wanted or whole is None or _list_problem(exchange, is_emulator(view)):
            continue
        found, everything = _ids(exchange), _entries(whole)
        named = {text_in(entry, "id") for entry in everything
                 if wanted in text_in(entry, "id").lower()}  # fmt: skip
        related = {text_in(entry, "id") for entry in everything
                   if wanted in json.dumps(entry, ensure_ascii=False).lower()}  # fmt: skip
        lost, odd = named - found, found - _ids(whole) or (found if not related else set())
        problem = f"lacks {min(lost)}" if lost else f"has {min(odd)}" if odd else None
        message = f"the list for q={shown(wanted)} {problem}"
        yield judged("MOD-1", problem is None, message, whole, exchange)


@judges("DOC-1")
def llms_txt_is_an_index(view: View) -> Iterator[Finding]:
    """``/llms.txt`` is a text that leads on (DOC-1)."""
    for exchange in view.answered:
        status = status_of(exchange)
        if exchange.request.method != "GET" or not _is_index(view, exchange):
            continue
        if status in NO_ROUTE:
            yield unsupported("DOC-1", f"{_INDEX} is not there: {status}", exchange)
        elif status == 200 and exchange.response is not None:
            kind = media_type(exchange.response.headers)
            if kind not in ("text/plain", "text/markdown"):
                yield breaks("DOC-1", f"{_INDEX} is {kind or 'of no type'}, no text", exchange)
            elif not re.search(rb"https?://\S|(?<![\w/])/\w", exchange.response.body):
                yield breaks("DOC-1", f"{_INDEX} names no page and no path", exchange)
            else:
                yield holds("DOC-1", exchange)


def _is_index(view: View, exchange: Exchange) -> bool:
    base = split_url(view.trace.base_url)
    return split_url(exchange.request.url)[:3] == (base.scheme, base.netloc, base.path + _INDEX)

"""Sees that a target is the API, and that it takes the key, before anything else is sent."""

from urllib.parse import urljoin, urlsplit

from contracts.client import Answer
from contracts.exchange import fields_of, header, split_url
from contracts.lives_drive import MODEL
from contracts.observed import BALANCE, MODELS
from contracts.options import (
    EXIT_KEY_REFUSED,
    EXIT_NOT_THE_API,
    EXIT_UNREACHABLE,
    EngineError,
)
from contracts.session import Session


def check_target(session: Session) -> None:
    """Ask for the models and the balance, which costs nothing.

    Args:
        session: the means; learns what the target says that an image costs.

    Raises:
        EngineError: the target does not answer, is not the API, redirects to another place, or
            refuses the key.
    """
    client = session.client
    models = client.send("GET", MODELS, key=None, purpose="is this the API?")
    _check_place(client.base_url, models)
    balance = client.send("GET", BALANCE, purpose="is the key good?")
    _check_place(client.base_url, balance)
    if balance.status in (0, 429) or balance.status >= 500:
        seen = balance.exchange.failure or f"it answers {balance.status}"
        message = f"{client.base_url} can't answer GET {BALANCE} now: {seen}"
        raise EngineError(message, EXIT_UNREACHABLE)
    if balance.status == 401:
        message = f"{client.base_url} refuses the API key: {_error_message(balance)}"
        raise EngineError(message, EXIT_KEY_REFUSED)
    own = [model for model in _models(models) if fields_of(model).get("id") == MODEL]
    if not (own or _tells_balance(balance)):
        message = (
            f"{client.base_url} does not look like the API: GET {MODELS} answers"
            f" {models.status or models.exchange.failure} without {MODEL}, GET {BALANCE}"
            f" {balance.status} without credits"
        )
        raise EngineError(message, EXIT_NOT_THE_API)
    for model in own:
        price = fields_of(fields_of(model).get("pricing")).get("credits_per_request")
        if isinstance(price, int) and not isinstance(price, bool):
            session.prices.told(price)


def _check_place(base_url: str, answer: Answer) -> None:
    elsewhere = _redirect_of(answer)
    if elsewhere is not None:
        message = (
            f"{base_url} redirects to {elsewhere}; the key is not sent there. If that is the API,"
            " give it as --base-url"
        )
        raise EngineError(message, EXIT_NOT_THE_API)


def _redirect_of(answer: Answer) -> str | None:
    """Where an answer redirects to: scheme and host; None where it does not.

    None also where it leads to another path of the same place.
    """
    response = answer.exchange.response
    if response is None or not 300 <= response.status < 400:
        return None
    asked = answer.exchange.request.url
    try:
        target = urlsplit(urljoin(asked, header(response.headers, "location") or ""))
    except ValueError:
        return None
    own = split_url(asked)
    same = (target.scheme, target.netloc) == (own.scheme, own.netloc)
    return None if same else f"{target.scheme}://{target.netloc}"


def _models(answer: Answer) -> list[object]:
    data = answer.fields.get("data")
    return data if isinstance(data, list) else []


def _tells_balance(answer: Answer) -> bool:
    if answer.status in (402, 403):  # the API all the same; another one would answer 404
        return isinstance(answer.fields.get("error"), dict)
    return answer.status == 200 and isinstance(answer.fields.get("credits"), int | float)


def _error_message(answer: Answer) -> str:
    """What an error says, as it was recorded: a target may repeat the key in it."""
    response = answer.exchange.response
    error = fields_of(fields_of(response.json if response else None).get("error"))
    return str(error.get("message") or answer.status)[:200]

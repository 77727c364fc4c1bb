"""Sees that a target is the API, and that it takes the key, before anything else is sent."""

from contracts.client import Answer, other_host
from contracts.exchange import fields_of
from contracts.lives_drive import MODEL
from contracts.observed import BALANCE, MODELS
from contracts.options import EXIT_KEY_REFUSED, EXIT_NOT_THE_API, EngineError
from contracts.session import Session


def check_target(session: Session) -> None:
    """Ask for the models and the balance, which costs nothing.

    Args:
        session: the means; learns what the target says that an image costs.

    Raises:
        EngineError: the target is not the API, redirects to another host, or refuses the key.
    """
    client = session.client
    models = client.send("GET", MODELS, key=None, purpose="is this the API?")
    elsewhere = other_host(client.base_url, models)
    if elsewhere is not None:
        message = (
            f"{client.base_url} redirects to {elsewhere}; the key is not sent there. If that is"
            " the API, give it as --base-url"
        )
        raise EngineError(message, EXIT_NOT_THE_API)
    balance = client.send("GET", BALANCE, purpose="is the key good?")
    if balance.status == 401:
        message = f"{client.base_url} refuses the API key: {_message(balance)}"
        raise EngineError(message, EXIT_KEY_REFUSED)
    if not (
        isinstance(models.fields.get("data"), list)
        or "credits" in balance.fields
        or isinstance(balance.fields.get("error"), dict)
    ):
        seen = f"{balance.status or balance.exchange.failure}, without credits or an error in JSON"
        message = f"{client.base_url} does not look like the API: GET {BALANCE} answers {seen}"
        raise EngineError(message, EXIT_NOT_THE_API)
    _learn_price(session, models)


def _learn_price(session: Session, models: Answer) -> None:
    data = models.fields.get("data")
    for model in data if isinstance(data, list) else ():
        if fields_of(model).get("id") == MODEL:
            price = fields_of(fields_of(model).get("pricing")).get("credits_per_request")
            if isinstance(price, int) and not isinstance(price, bool):
                session.prices.told(price)


def _message(answer: Answer) -> str:
    return str(fields_of(answer.fields.get("error")).get("message") or answer.status)[:200]

"""What is no API is left alone, and a redirect sees no key."""

from typing import Any

import pytest
from starlette.requests import Request

from contracts.options import (
    EXIT_KEY_REFUSED,
    EXIT_NOT_THE_API,
    EXIT_UNREACHABLE,
    EngineError,
    Options,
)
from contracts.preflight import check_target
from contracts.session import open_session
from tests.contracts.clients import KEY
from tests.contracts.stand_in import Reply, Served, answering, says, served

MODELS = {"data": [{"id": "gpt-image-2", "pricing": {"credits_per_request": 4200}}]}
HTML = Reply(200, b"<html><body>Welcome</body></html>", {"content-type": "text/html"})
OPTIONS = Options(mode="read-only", key=KEY, timeout_seconds=3)


def target(models: Reply, balance: Reply) -> Any:
    def reply(request: Request) -> Reply:
        known = {"/v1/models": models, "/v1/credits/balance": balance}
        return known.get(request.url.path, says({"detail": "Not Found"}, 404))

    return served(answering(reply))


def checked(server: Served) -> int:
    """Check a target; return what one of its images may cost."""
    with open_session(server.url, OPTIONS) as session:
        check_target(session)
        return int(session.prices.credits_per_image)


@pytest.mark.parametrize(
    ("models", "balance", "price"),
    [
        (says(MODELS), says({"credits": 5}), 4200),
        (says({}, 404), says({"credits": 5}), 1000),
        (says(MODELS), says({"error": {"type": "not_found_error"}}, 404), 4200),
        (says({"data": []}), says({"error": {"code": "insufficient_credits"}}, 402), 1000),
        (says({"data": []}), says({"error": {"code": "model_not_allowed"}}, 403), 1000),
        (says({"data": [{"id": "gpt-image-2", "pricing": None}, 5, []]}), says({}, 404), 1000),
        (says({"data": [{"id": "gpt-image-2", "pricing": {"credits_per_request": True}}]}),
         says({"credits": 1.5}), 1000),
    ],
)  # fmt: skip
def test_what_looks_like_the_api_tells_its_price(models: Reply, balance: Reply, price: int) -> None:
    with target(models, balance) as server:
        assert checked(server) == price


@pytest.mark.parametrize(
    ("models", "balance"),
    [
        (HTML, HTML),
        (says({"hello": "world"}), says({"hello": "world"})),
        (says({"object": "list", "data": [{"id": "gpt-4o"}]}), says({"error": {"type": "x"}}, 404)),
        (says({"data": "gpt-image-2"}), says({"credits": "5"})),
        (says({"data": [{"id": "other"}]}), says({"credits": None})),
        (says([]), says([])),
        (says(None), says(None)),
        (says(MODELS, 200)._replace(body=b"\xff"), says({}, 418)),
        (says({"error": "no"}, 403), says({"error": "no"}, 403)),
        (Reply(204, b"", {}), Reply(204, b"", {})),
    ],
)
def test_what_is_something_else_is_left_alone(models: Reply, balance: Reply) -> None:
    with (
        target(models, balance) as server,
        pytest.raises(EngineError, match="does not look like the API") as error,
    ):
        checked(server)
    assert error.value.exit_code == EXIT_NOT_THE_API
    assert {asked.method for asked in server.asked} == {"GET"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_sees_no_key(status: int) -> None:
    with (
        served(answering(lambda request: says(MODELS))) as elsewhere,
        target(says(status=status, location=f"{elsewhere.url}/v1/models"), HTML) as server,
    ):
        with pytest.raises(EngineError, match=f"redirects to {elsewhere.url}") as error:
            checked(server)
        assert elsewhere.asked == []
        assert all(asked.key == "" for asked in server.asked)
    assert error.value.exit_code == EXIT_NOT_THE_API


def test_a_redirect_to_the_same_host_with_tls_is_another_place() -> None:
    def reply(request: Request) -> Reply:
        return says(status=308, location=str(request.url.replace(scheme="https")))

    with (
        served(answering(reply)) as server,
        pytest.raises(EngineError, match="redirects to https://127"),
    ):
        checked(server)
    assert all(asked.key == "" for asked in server.asked)


@pytest.mark.parametrize("location", ["/elsewhere", "", "?a=b", "http://[::1"])
def test_a_redirect_to_the_same_place_is_no_api(location: str) -> None:
    reply = says(status=302, location=location)
    with (
        target(reply, reply) as server,
        pytest.raises(EngineError, match="does not look like the API"),
    ):
        checked(server)


@pytest.mark.parametrize(
    "error", [{"message": f"Incorrect API key provided: {KEY}"}, {"message": None}, None, "no", []]
)
def test_a_key_that_is_refused_is_not_repeated(error: Any) -> None:
    with (
        target(says(MODELS), says({"error": error}, 401)) as server,
        pytest.raises(EngineError, match="refuses the API key") as refused,
    ):
        checked(server)
    assert refused.value.exit_code == EXIT_KEY_REFUSED
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_target_that_is_ill_is_not_charged_with_work(status: int) -> None:
    with (
        target(says(MODELS), says({"error": {"message": "down"}}, status)) as server,
        pytest.raises(EngineError, match=f"now: it answers {status}") as error,
    ):
        checked(server)
    assert error.value.exit_code == EXIT_UNREACHABLE

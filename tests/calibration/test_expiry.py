"""How long links live, and what dead ones answer."""

from typing import Any

import pytest

from tests.calibration.traces import HOST, START, download, entry, finding, lessons, poll, values

HOUR = 3600
ENDED = 5.0  # seconds after the start
SIX_HOURS = START // 1000 + 5 + 6 * HOUR


def shown(link: str, *fetches: tuple[float, int]) -> list[dict[str, Any]]:
    """A task with a link, which was asked so many hours after its end and answered so."""
    asked = [download(link, status, seconds=ENDED + hours * HOUR) for hours, status in fetches]
    return [poll(1, ended=ENDED, urls=(link,)), *asked]


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        (f"expires={SIX_HOURS}", "6"),
        (f"Expires={SIX_HOURS + 1}&Signature=abc", "6"),
        (f"expires={SIX_HOURS - 1}", "6"),
        (f"exp={SIX_HOURS * 1000}", "6"),
        (f"expires={SIX_HOURS + 30}", "6.008333"),
        ("se=2027-01-15T14%3A00%3A05Z&sig=abc", "6"),
        ("X-Amz-Date=20270115T080007Z&X-Amz-Expires=7200", "2"),
        ("X-Goog-Expires=900", "0.25"),
        ("expires=soon", None),
        ("expires=1", None),
        (f"expires={'9' * 14}", None),
        ("se=2027-01-15", None),
        ("X-Amz-Expires=0", None),
        ("", None),
    ],
)
def test_links_that_say_it(query: str, hours: str | None) -> None:
    assert values(*shown(f"{HOST}/1.png?{query}")).get("media_ttl_hours") == hours


def test_a_result_without_a_task_says_when_it_was_made() -> None:
    url = f"{HOST}/1.png?expires={SIX_HOURS}"
    answer = {"created": START // 1000 + 5, "data": [{"url": url}]}
    sent = {"model": "gpt-image-2", "prompt": "x"}
    found = values(entry("POST", "/v1/images/generations/sync", 200, sent, answer))
    assert found["media_ttl_hours"] == "6"


@pytest.mark.parametrize(
    ("fetches", "hours"),
    [
        ([(1, 200)], None),
        ([(23, 200), (25, 410)], "24"),
        ([(25, 410)], "24"),
        ([(5.5, 200), (7.2, 404)], "7"),
        ([(6.2, 200), (6.4, 404)], "6.4"),
        ([(30, 200)], "31"),
        ([(30, 304), (50, 403)], "50"),
        ([(30, 500), (50, 401)], None),
    ],
)
def test_links_that_were_seen_alive_and_dead(
    fetches: list[tuple[float, int]], hours: str | None
) -> None:
    assert values(*shown(f"{HOST}/1.png", *fetches)).get("media_ttl_hours") == hours


def test_links_that_do_not_do_what_they_say() -> None:
    link = f"{HOST}/1.png?expires={SIX_HOURS}"
    kept = finding(lessons(*shown(link, (5.9, 200), (6.1, 410))), "media_ttl_hours")
    assert (kept.seen, kept.note) == ("6", "")
    broken = finding(lessons(*shown(link, (2, 410), (7, 200))), "media_ttl_hours")
    assert broken.note == "2 requests to links saw otherwise"


@pytest.mark.parametrize(
    ("fetches", "status"),
    [
        ([(25, 403), (26, 404), (27, 404)], "404"),
        ([(25, 400), (26, 500)], None),
        ([(1, 200)], None),
    ],
)
def test_what_a_dead_link_answers(fetches: list[tuple[float, int]], status: str | None) -> None:
    assert values(*shown(f"{HOST}/1.png", *fetches)).get("media_expired_status") == status


def test_only_a_link_as_it_was_given_dies() -> None:
    link = f"{HOST}/1.png?expires={SIX_HOURS}"
    early = shown(link, (1, 403))
    changed = [*shown(link), download(f"{HOST}/1.png?expires=1", 403, seconds=7 * HOUR)]
    assert "media_expired_status" not in values(*early)
    assert "media_expired_status" not in values(*changed)
    assert values(*shown(link, (7, 403)))["media_expired_status"] == "403"

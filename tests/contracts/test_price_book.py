"""What a request may cost: a guess, what the target says, what somebody knows better."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Request
from contracts.model import Wish, wish_of
from contracts.price_book import HIGHEST_DOCUMENTED, PriceBook
from contracts.prices import assumed_price


def creation(**fields: Any) -> Request:
    body = {"model": "gpt-image-2", "prompt": "A lighthouse", **fields}
    return Request(
        "POST",
        "http://target.example/v1/images/generations",
        (("Content-Type", "application/json"), ("Authorization", "Bearer key-1")),
        json.dumps(body).encode(),
    )


def wish(**fields: Any) -> Wish:
    found = wish_of(creation(**fields))
    assert found is not None
    return found


def test_at_first_the_highest_documented_price_counts() -> None:
    book = PriceBook(None)
    assert book.credits_per_image == HIGHEST_DOCUMENTED
    assert book.worst_credits(creation()) == 1000
    assert book.worst_credits(creation(n=3, quality="high")) == 6000
    assert book.price_of(wish()) == 1000


def test_the_targets_own_list_can_only_raise_the_price() -> None:
    book = PriceBook(None)
    book.told(45)
    assert book.worst_credits(creation(n=2)) == 2000
    book.learn(creation(), 30)
    assert book.worst_credits(creation(n=2)) == 90
    book.told(7000)
    assert book.worst_credits(creation()) == 7000


def test_what_should_have_been_refused_teaches_nothing() -> None:
    """Eleven images that are cut down to one cost as much as one."""
    book = PriceBook(None)
    book.learn(creation(n=11), 30)
    assert book.credits_per_image == HIGHEST_DOCUMENTED


def test_who_takes_more_than_it_says_is_believed_less() -> None:
    book = PriceBook(Fraction(30))
    book.raise_by(Fraction(10))
    book.raise_by(Fraction(2))
    assert book.worst_credits(creation()) == 300


@pytest.mark.parametrize("credits", [0, -5])
def test_a_price_that_is_none_is_no_price(credits: int) -> None:
    book = PriceBook(None)
    book.told(credits)
    assert book.worst_credits(creation()) == 1000


def test_what_somebody_knows_better_stays_unless_more_was_seen() -> None:
    book = PriceBook(Fraction(50))
    book.told(30)
    book.learn(creation(), 30)
    assert book.worst_credits(creation()) == 50
    book.learn(creation(), 80)
    assert book.worst_credits(creation()) == 80


def test_a_guess_gives_way_to_what_was_seen() -> None:
    book = PriceBook(None)
    book.learn(creation(), 33)
    assert book.worst_credits(creation()) == 33
    book.learn(creation(n=2, resolution="2K", size="16:9"), 40)  # cheaper in proportion
    assert book.worst_credits(creation()) == 33
    assert book.price_of(wish(n=2)) == 66


def test_what_can_not_be_read_teaches_nothing() -> None:
    book = PriceBook(None)
    broken = Request("POST", "http://target.example/v1/images/generations", (), b"{")
    book.learn(broken, 5)
    assert book.worst_credits(creation()) == 1000
    assert book.worst_credits(broken) == 1000


@given(
    st.lists(
        st.tuples(
            st.fixed_dictionaries(
                {},
                optional={
                    "n": st.integers(1, 10),
                    "quality": st.sampled_from(["low", "medium", "high"]),
                    "size": st.sampled_from(["auto", "1:1", "16:9", "1024x1024"]),
                    "resolution": st.sampled_from(["1K", "2K", "4K"]),
                },
            ),
            st.integers(0, 5000),
        ),
        min_size=1,
        max_size=6,
    ),
    st.none() | st.integers(1, 2000),
)
def test_what_was_charged_once_is_expected_again(
    seen: list[tuple[dict[str, Any], int]], told: int | None
) -> None:
    book = PriceBook(None if told is None else Fraction(told))
    for fields, reserved in seen:
        book.learn(creation(**fields), reserved)
    for fields, reserved in seen:
        assert book.price_of(wish(**fields)) >= reserved
        if fields.get("quality") != "low":  # a low one is priced as if it were passed over
            assumed = assumed_price(wish(**fields), "medium")
            worst = book.worst_credits(creation(**fields))
            assert worst >= reserved or assumed == 0

"""The profile that fits a trace, and its words."""

from typing import Any

import pytest

from tests.calibration.traces import (
    HOST,
    creation,
    download,
    entry,
    finding,
    lessons,
    picture_bytes,
    values,
)
from tests.calibration.traces import poll as read
from tests.support.world import CREATION

LINK = f"{HOST}/1.png"
DYING = f"{HOST}/1.png?expires=1800000100"
M_WORDS = {"first_status": "pending", "success_status": "succeeded"}
R_WORDS = {"first_status": "processing", "success_status": "completed"}


def refused(**fields: Any) -> dict[str, Any]:
    error = {"error": {"code": "invalid_value"}}
    return entry("POST", "/v1/images/generations", 400, {**CREATION, **fields}, error)


def pictured(size: str, width_px: int, height_px: int) -> list[dict[str, Any]]:
    picture = picture_bytes(width_px, height_px)
    return [creation(1, size=size), read(1, urls=(LINK,)), download(LINK, picture=picture)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([creation(1), read(1)], {"profile": "model-page", **M_WORDS}),
        (
            [creation(1, "processing", more={"model": "x"}), read(1, "completed")],
            {"profile": "reference", **R_WORDS},
        ),
        # Nothing else can name the model, words can be set.
        ([creation(1, "processing"), read(1, "completed")], {"profile": "model-page", **R_WORDS}),
        (
            [creation(1, more={"model": None}), read(1)],
            {"profile": "reference", **M_WORDS},
        ),
        ([read(1, "completed")], {"profile": "reference", "success_status": "completed"}),
        ([read(1, "pending", ended=None)], {}),
        ([read(1, "expired")], {"profile": "reference"}),
        (
            [read(1, urls=(DYING,)), read(1, seconds=200)],
            {"profile": "model-page", "success_status": "succeeded"},
        ),
        ([refused(size="100x100"), read(1, "failed")], {"profile": "model-page"}),
        ([refused(quality="auto"), read(1, "failed")], {"profile": "model-page"}),
        ([refused(quality="best"), refused(n=11), read(1, "failed")], {}),
    ],
)
def test_profiles(entries: list[Any], expected: dict[str, str]) -> None:
    names = ("profile", *M_WORDS)
    assert {k: v for k, v in values(*entries).items() if k in names} == expected


@pytest.mark.parametrize(
    ("entries", "claim", "verdict"),
    [
        ([creation(1, size="100x100")], "GEN-4", "not settable"),
        ([creation(1, quality="auto")], "GEN-9", "not settable"),
        ([], "GEN-9", "not seen"),
        ([], "GEN-13", "confirmed"),
        ([], "TASK-8", "confirmed"),
        (pictured("16:9", 1360, 768), "GEN-6", "confirmed"),
        (pictured("16:9", 1536, 1024), "GEN-6", "not settable"),
        (pictured("16:9", 1000, 1000), "GEN-6", "not seen"),  # neither profile says so
        (pictured("auto", 1024, 1024), "GEN-6", "not seen"),  # both do
    ],
)
def test_what_the_model_page_decides(entries: list[Any], claim: str, verdict: str) -> None:
    # Two features that speak for it, so that one does not decide.
    base = [creation(2), read(4, urls=(DYING,)), read(4, seconds=200)]
    found = lessons(*base, *entries)["profile"]
    assert found.value == "model-page"
    assert {one.claim: one.verdict for one in found.findings}[claim] == verdict


def test_what_the_reference_pages_decide() -> None:
    found = lessons(creation(1, quality="auto", more={"model": "x"}))["profile"]
    assert found.value == "reference"
    verdicts = {one.claim: one.verdict for one in found.findings}
    assert (verdicts["GEN-9"], verdicts["GEN-13"]) == ("replaced", "replaced")


@pytest.mark.parametrize(
    ("word", "shown"),
    [("queued", "queued"), ("sk-0123456789", "another word"), ("a" * 40, "another word")],
)
def test_words_that_the_emulator_does_not_have(word: str, shown: str) -> None:
    found = lessons(creation(1, word), read(1, "done", urls=(LINK,)))
    first, success = (finding(found, name) for name in M_WORDS)
    assert (first.seen, first.verdict, found["first_status"].value) == (shown, "not settable", None)
    assert (success.seen, success.verdict) == ("done", "not settable")
    assert "the emulator has pending and processing" in first.note


def test_what_is_most_frequent_counts_and_the_rest_is_said() -> None:
    entries = [creation(1, "processing"), creation(2), creation(3, "processing")]
    first = finding(lessons(*entries), "first_status")
    assert (first.seen, first.count, first.note) == ("processing", 2, "also seen: pending (1)")

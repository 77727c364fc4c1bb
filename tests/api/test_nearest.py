"""What a refused client should have sent: valid, and as near as can be."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.api.nearest import EXAMPLE, NearestValid, nearest_valid
from emulator.api.schemas import parse_creation
from emulator.core.profile import MODEL_PAGE, PROFILES, REFERENCE, Profile
from emulator.settings import Settings
from tests.support.world import CREATION, open_world

CREATE = "/v1/images/generations"
URL = "https://example.com/cat.png"
MODEL = "gpt-image-2"


def near(body: Any, profile: Profile = MODEL_PAGE, blamed: str = "") -> NearestValid:
    found = nearest_valid(json.dumps(body), blamed, Settings(profile=profile))
    assert found is not None
    parse_creation(found.body, Settings(profile=profile))
    return found


@pytest.mark.parametrize(
    ("field", "sent", "accepted"),
    [
        ("quality", "hd", "medium"),
        ("quality", "HIGH", "high"),
        ("quality", "mediun", "medium"),
        ("quality", None, None),
        ("n", 0, 1),
        ("n", 11, 10),
        ("n", "3", 3),
        ("n", 2.7, 3),
        ("n", True, 1),
        ("n", [], None),
        ("size", "1000x1000", "992x992"),
        ("size", "16x9", "16:9"),
        ("size", "16-9", "16:9"),
        ("size", "16 / 9", "16:9"),
        ("size", "7:5", "4:3"),
        ("size", "AUTO", "auto"),
        ("size", 1024, "1024x1024"),
        ("size", "0x0", None),
        ("size", "99999999999x1", "1728x576"),
        ("size", {}, None),
        ("aspect_ratio", "16x9", "16:9"),
        ("aspectRatio", "01024x1024", "1024x1024"),
        ("imageSize", "4k", "4K"),
        ("imageSize", "16x9", "16:9"),
        ("imageSize", "1000x1000", "992x992"),
        ("imageSize", "huge", None),
        ("resolution", "4k", "4K"),
        ("resolution", 2, "2K"),
        ("resolution", "full", None),
        ("model", "dall-e-3", None),
        ("model", "", MODEL),
        ("prompt", "", EXAMPLE["prompt"]),
        ("prompt", ["a"], EXAMPLE["prompt"]),
        ("callback_url", "example.com", None),
        ("callback_url", None, None),
        ("input_images", URL, [URL]),
        ("image_urls", [URL, 3, "cat.png"], [URL]),
        ("images", [URL] * 17, [URL] * 16),
        ("images", {"a": 1}, None),
    ],
)
def test_a_table_of_repairs(field: str, sent: Any, accepted: Any) -> None:
    body = {**CREATION, field: sent}
    if (field, accepted) == ("model", None):  # whether a model exists is not for parse_creation
        assert nearest_valid(json.dumps(body), "model", Settings()) is None
        return
    found = near(body)
    expected = {**CREATION, field: accepted}
    assert found.body == {name: value for name, value in expected.items() if value is not None}
    assert found.changes == [{"param": field, "sent": sent, "accepted": accepted}]


def test_a_prompt_that_is_too_long_is_cut_and_says_so() -> None:
    found = near({**CREATION, "prompt": "x" * 32_001})
    assert found.body["prompt"] == "x" * 32_000
    (change,) = found.changes
    assert "32,003 characters" in change["sent"]
    assert "32,002 characters" in change["accepted"]


def test_a_prompt_with_half_a_character_is_mended() -> None:
    found = near({**CREATION, "prompt": "a\ud800b"})
    assert found.body["prompt"] == "a?b"
    assert found.changes == [{"param": "prompt", "sent": '"a\\ud800b"', "accepted": "a?b"}]


def test_a_size_that_one_profile_maps_is_its_business() -> None:
    assert nearest_valid(json.dumps({**CREATION, "size": "1000x1000"}), "", Settings()) is not None
    reference = Settings(profile=REFERENCE)
    assert nearest_valid(json.dumps({**CREATION, "size": "1000x1000"}), "", reference) is None


@pytest.mark.parametrize("sent", ["[]", '"a cat"', "{", "", "null", '{"n": NaN}', "[" * 5000])
def test_what_is_no_object_becomes_the_smallest_request(sent: str) -> None:
    found = nearest_valid(sent, "body", Settings())
    assert found is not None
    assert found.body == EXAMPLE


def test_a_field_that_is_there_twice_counts_once() -> None:
    sent = '{"model": "gpt-image-2", "prompt": "A cat", "n": 1, "n": 2}'
    found = nearest_valid(sent, "n", Settings())
    assert found is not None
    assert found.body == {"model": MODEL, "prompt": "A cat", "n": 2}
    assert found.changes == [{"param": "n", "sent": "more than once", "accepted": 2}]


def test_a_reference_that_cannot_be_used_is_left_out() -> None:
    body = {**CREATION, "input_images": [URL, "data:image/png;base64,xx"]}
    assert near(body, blamed="input_images[1]").body["input_images"] == [URL]


RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "model": st.just(MODEL),
    "prompt": st.text("abc é\n", min_size=1, max_size=20),
    "size": st.sampled_from(["auto", "16:9", "1024x1024"]),
    "resolution": st.sampled_from(["1K", "2K", "4K"]),
    "quality": st.sampled_from(["low", "medium", "high"]),
    "n": st.integers(1, 10),
    "callback_url": st.just("http://127.0.0.1:9/hook"),
    "input_images": st.lists(st.just(URL), max_size=16),
    "image_urls": st.lists(st.just(URL), max_size=16),
    "unknown": st.integers(),
}
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
SIZES = st.from_regex(r"[0-9]{1,7}[x:*-][0-9]{1,7}", fullmatch=True)
WRONG = dict.fromkeys(RIGHT, ANYTHING | SIZES) | {
    "images": ANYTHING,
    "imageSize": ANYTHING | SIZES,
    "aspect_ratio": ANYTHING | SIZES,
}


@given(
    right=st.fixed_dictionaries({}, optional=RIGHT),
    wrong=st.fixed_dictionaries({}, optional=WRONG),
    profile=st.sampled_from(sorted(PROFILES)),
)
@settings(max_examples=300)
def test_the_nearest_request_is_valid_and_right_fields_are_untouched(
    right: dict[str, Any], wrong: dict[str, Any], profile: str
) -> None:
    chosen = Settings(profile=PROFILES[profile])
    body = {**right, **wrong}
    found = nearest_valid(json.dumps(body), "", chosen)
    if found is None:
        parse_creation(body, chosen)
        return
    parse_creation(found.body, chosen)
    for field, value in body.items():
        if field in right and field not in wrong:
            assert found.body[field] == value, field
    changed = {change["param"] for change in found.changes}
    for field in found.body.keys() | body.keys():
        assert (field in changed) or found.body[field] == body[field]


@given(wrong=st.fixed_dictionaries({}, optional=WRONG | {"model": ANYTHING, "prompt": ANYTHING}))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_posting_it_is_accepted(wrong: dict[str, Any]) -> None:
    async with open_world() as world:
        refused = await world.client.post(CREATE, json=wrong)
        (entry,) = (await world.client.get("/_emulator/journal")).json()["data"]
        if refused.status_code == 202:
            return
        again = await world.client.post(CREATE, json=entry["nearest_valid"]["body"])
        assert again.status_code == 202, again.text


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "dall-e-3"},
        {"prompt": "A fox [[fault: nonsense]] at night"},
        {"prompt": "[[fault]]"},
        {"input_images": ["nonsense", URL]},
        {"input_images": [URL, "data:image/png;base64,AAAA"]},
        {"model": "dall-e-3", "n": "2", "size": "16x9", "quality": "hd", "resolution": "4k"},
    ],
)
async def test_what_comes_after_the_fields_is_repaired_too(fields: dict[str, Any]) -> None:
    async with open_world() as world:
        refused = await world.client.post(CREATE, json={**CREATION, **fields})
        assert refused.status_code in (400, 404)
        (entry,) = (await world.client.get("/_emulator/journal")).json()["data"]
        again = await world.client.post(CREATE, json=entry["nearest_valid"]["body"])
        assert again.status_code == 202
        assert {change["param"] for change in entry["nearest_valid"]["changes"]} == set(fields)


async def test_a_blocked_term_has_no_remedy() -> None:
    async with open_world(blocked_terms=("cat",)) as world:
        await world.client.post(CREATE, json={**CREATION, "prompt": "A cat", "n": 0})
        (entry,) = (await world.client.get("/_emulator/journal")).json()["data"]
        assert entry["refusal"]["param"] == "n"
        assert entry["nearest_valid"] is None

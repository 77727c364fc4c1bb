"""Bad input: one clear error each, nothing reserved, never a 500."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.core.profile import REFERENCE
from tests.support.world import CREATION, World, open_world

JSON = {"Content-Type": "application/json"}
CREATE = "/v1/images/generations"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as world:
        yield world
        assert (await world.sums())["reserved"] == 0
        assert [entry["kind"] for entry in await world.ledger()] == ["grant"]


# (field, what is sent, the error's code, what its message must name)
BAD_FIELDS: list[tuple[str, Any, str, tuple[str, ...]]] = [
    ("model", 7, "invalid_type", ("gpt-image-2", "7")),
    ("model", "", "invalid_value", ("gpt-image-2",)),
    ("model", "dall-e-9", "model_not_found", ("gpt-image-2", "dall-e-9")),
    ("prompt", None, "invalid_type", ("null",)),
    ("prompt", ["a"], "invalid_type", ('["a"]',)),
    ("prompt", "", "invalid_value", ("not empty",)),
    ("prompt", "x" * 32_001, "invalid_value", ("32,000", "32,001")),
    ("prompt", "a\ud800b", "invalid_value", ("string",)),
    ("size", 1024, "invalid_type", ("16:9", "WIDTHxHEIGHT", "1024")),
    ("size", "7:5", "invalid_value", ("16:9", "WIDTHxHEIGHT", "7:5")),
    ("size", "1024x", "invalid_value", ("WIDTHxHEIGHT", "1024x")),
    ("size", "١٠٢٤x١٠٢٤", "invalid_value", ("WIDTHxHEIGHT",)),
    ("size", "1000x1000", "invalid_size", ("multiples of 16", "1000x1000")),
    ("size", "3856x2160", "invalid_size", ("3840",)),
    ("size", "3200x1024", "invalid_size", ("3:1",)),
    ("size", "512x512", "invalid_size", ("655,360", "262,144")),
    ("size", "3840x3840", "invalid_size", ("8,294,400",)),
    ("size", "0x0", "invalid_value", ("WIDTHxHEIGHT",)),
    ("size", "01024x1024", "invalid_value", ("WIDTHxHEIGHT",)),
    ("imageSize", "8K", "invalid_value", ("1K, 2K, 4K", "8K")),
    ("imageSize", None, "invalid_type", ("null",)),
    ("imageSize", "1000x1000", "invalid_size", ("imageSize 1000x1000", "992x992")),
    ("aspect_ratio", "7:5", "invalid_value", ("aspect_ratio must be", "16:9", "7:5")),
    ("aspectRatio", "512x512", "invalid_size", ("aspectRatio 512x512", "655,360")),
    ("quality", None, "invalid_type", ("low, medium, high", "null")),
    ("callback_url", None, "invalid_type", ("http(s)", "null")),
    ("size", "99999999999x1", "invalid_size", ("3840",)),
    ("resolution", "8K", "invalid_value", ("1K, 2K, 4K", "8K")),
    ("resolution", 1, "invalid_value", ("1K, 2K, 4K",)),
    ("quality", "ultra", "invalid_value", ("low, medium, high", "ultra")),
    ("quality", "auto", "invalid_value", ("low, medium, high", "auto")),
    ("quality", 3, "invalid_type", ("low, medium, high", "3")),
    ("n", 0, "invalid_value", ("1 to 10", "0")),
    ("n", 11, "invalid_value", ("1 to 10", "11")),
    ("n", 1.5, "invalid_type", ("1 to 10", "1.5")),
    ("n", "3", "invalid_type", ("1 to 10", '"3"')),
    ("n", True, "invalid_type", ("1 to 10", "true")),
    ("n", None, "invalid_type", ("1 to 10", "null")),
    ("n", 10**30, "invalid_value", ("1 to 10",)),
    ("callback_url", 5, "invalid_type", ("http(s)", "5")),
    ("callback_url", "", "invalid_value", ("http(s)",)),
    ("callback_url", "/hook", "invalid_value", ("http(s)", "/hook")),
    ("callback_url", "ftp://example.com/", "invalid_value", ("http(s)", "ftp://")),
    ("callback_url", "http://", "invalid_value", ("http(s)",)),
    ("callback_url", "http://[::1", "invalid_value", ("http(s)",)),
    ("callback_url", "http://example.com:99999/", "invalid_value", ("http(s)",)),
    ("callback_url", "http://exa mple.com/", "invalid_value", ("http(s)",)),
    ("input_images", "http://example.com/a.png", "invalid_type", ("16",)),
    ("input_images", ["http://example.com/a.png"] * 17, "too_many_images", ("16", "17")),
    ("prompt", "[[Fault nonsense]]", "invalid_value", ("task_fails", "nonsense")),
    ("prompt", "[[fault: nonsense]]", "invalid_value", ("task_fails", "nonsense")),
    ("prompt", "[[fault: task_fails code=x]]", "invalid_value", ("image_safety",)),
    (
        "prompt",
        "[[fault: partial images=99]]",
        "invalid_value",
        ("images must be a whole number from 0 to 10",),
    ),
    ("prompt", "[[fault: content_policy]]", "content_policy", ("content policy",)),
]


@pytest.mark.parametrize(("field", "sent", "code", "named"), BAD_FIELDS)
async def test_a_bad_field(
    world: World, field: str, sent: Any, code: str, named: tuple[str, ...]
) -> None:
    body = json.dumps({**CREATION, field: sent})
    response = await world.client.post(CREATE, content=body, headers=JSON)
    error = response.json()["error"]
    assert response.status_code == (404 if code == "model_not_found" else 400)
    assert (error["code"], error["param"]) == (code, field)
    assert error["type"] == (
        "not_found_error" if code == "model_not_found" else "invalid_request_error"
    )
    for name in named:
        assert name in error["message"]
    assert len(error["message"]) < 900
    assert "\n" not in error["message"]


@pytest.mark.parametrize("field", ["model", "prompt"])
async def test_a_missing_field(world: World, field: str) -> None:
    body = {name: value for name, value in CREATION.items() if name != field}
    response = await world.client.post(CREATE, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "missing_field"
    assert response.json()["error"]["param"] == field
    assert f'What was sent has "{next(iter(body))}"' in response.json()["error"]["message"]


async def test_a_bad_reference_names_its_place(world: World) -> None:
    for sent, code in ((3, "invalid_type"), ("nowhere", "invalid_value")):
        body = {**CREATION, "image_urls": ["http://example.com/a.png", sent]}
        error = (await world.client.post(CREATE, json=body)).json()["error"]
        assert (error["code"], error["param"]) == (code, "image_urls[1]")


BAD_BODIES = [
    (b"", "invalid_json", "body", "Expecting value"),
    (b"{", "invalid_json", "body", "line 1, column 2"),
    (b'{"model": "gpt-image-2",}', "invalid_json", "body", "property name"),
    (b"[]", "invalid_body", "body", "[]"),
    (b'"x"', "invalid_body", "body", '"x"'),
    (b"null", "invalid_body", "body", "null"),
    (b'{"prompt": "\xff"}', "invalid_json", "body", "byte 12 (0xff) is not valid UTF-8"),
    (b'\xef\xbb\xbf{"model": 1}', "invalid_json", "body", "BOM"),
    (b'{"n": NaN}', "invalid_json", "body", "NaN"),
    (b'{"n": Infinity}', "invalid_json", "body", "Infinity"),
    (b'{"n": ' + b"9" * 5000 + b"}", "invalid_json", "body", "digits"),
    (b'{"x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "invalid_json", "body", "too deeply"),
    (b'{"x":' * 200_000 + b"1" + b"}" * 200_000, "invalid_json", "body", "too deeply"),
    (b'{"n": 1, "n": 2}', "duplicate_field", "n", "more than once"),
    (b'{"a": {"b": 1, "b": 2}}', "duplicate_field", "b", "more than once"),
    (b'{"\\ud800": 1, "\\ud800": 2}', "duplicate_field", "?", "more than once"),
]


@pytest.mark.parametrize(("body", "code", "param", "named"), BAD_BODIES)
async def test_a_bad_body(world: World, body: bytes, code: str, param: str, named: str) -> None:
    response = await world.client.post(CREATE, content=body, headers=JSON)
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["code"], error["param"]) == (code, param)
    assert named in error["message"]


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "multipart/form-data", "application/json; charset=utf-16"],
)
async def test_a_wrong_content_type(world: World, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await world.client.post(CREATE, content=json.dumps(CREATION), headers=headers)
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["code"], error["param"]) == ("invalid_content_type", "Content-Type")
    assert "application/json" in error["message"]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_body_over_the_limit(streamed: bool) -> None:
    async with open_world(max_body_mib=1) as world:
        body = b" " * (1024 * 1024 + 1)

        async def chunks() -> AsyncIterator[bytes]:
            yield body[:-1]
            yield body[-1:]

        response = await world.client.post(
            CREATE, content=chunks() if streamed else body, headers=JSON
        )
        error = response.json()["error"]
        assert response.status_code == 413
        assert (error["code"], error["param"]) == ("body_too_large", "body")
        assert "1,048,576" in error["message"]


async def test_what_no_source_names_is_ignored(world: World) -> None:
    body = {**CREATION, "style": {"vivid": [1]}, "user": None, "prompt": ""}
    error = (await world.client.post(CREATE, json=body)).json()["error"]
    assert error["param"] == "prompt"


async def test_a_whole_float_is_a_whole_number() -> None:
    async with open_world() as world:
        assert (await world.create(n=3.0))["credits"] == {"reserved": 90}


@pytest.mark.parametrize(
    ("fields", "quality", "pixels"),
    [
        ({"aspect_ratio": "16:9", "resolution": "2K"}, "medium", (2704, 1520)),
        ({"aspectRatio": "9:16", "imageSize": "4K"}, "medium", (2160, 3840)),
        ({"imageSize": "1280x720"}, "medium", (1280, 720)),
        ({"size": "1:1", "aspect_ratio": "3:1"}, "medium", (1024, 1024)),
    ],
)
async def test_legacy_spellings(
    fields: dict[str, str], quality: str, pixels: tuple[int, int]
) -> None:
    async with open_world() as world:
        task = await world.finished(**fields)
        request = await world.server.database.read(lambda tx: tx.request(task["task_id"]))
        assert request is not None
        frame = request.frame
        assert (frame.width_px, frame.height_px) == pixels
        assert request.quality == quality


async def test_the_reference_profile_maps_sizes_and_knows_quality_auto() -> None:
    async with open_world(profile=REFERENCE) as world:
        await world.create(size="1000x1000", quality="auto")
        zero = await world.client.post(CREATE, json={**CREATION, "size": "0x16"})
        assert zero.json()["error"]["param"] == "size"


async def test_callbacks_upstream_want_public_https() -> None:
    async with open_world(callbacks="upstream") as world:
        await world.create(callback_url="https://hooks.example.com/x")
        for url in (
            "http://hooks.example.com/",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://[::ffff:10.0.0.1]/",
        ):
            response = await world.client.post(CREATE, json={**CREATION, "callback_url": url})
            assert response.status_code == 400
            assert "public https" in response.json()["error"]["message"]


async def test_blocked_terms_break_the_content_policy() -> None:
    async with open_world(blocked_terms=("dragon",)) as world:
        response = await world.client.post(CREATE, json={**CREATION, "prompt": "A DRAGON"})
        assert response.json()["error"]["code"] == "content_policy"
        assert await world.balance() == 100_000


async def test_directives_can_be_turned_off() -> None:
    async with open_world(prompt_directives=False) as world:
        await world.create(prompt="[[fault: content_policy]]")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("model", "prompt", "size", "resolution", "quality", "n", "callback_url", "input_images")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON_VALUES, max_size=4))
def test_no_json_object_makes_an_error_of_ours(fields: dict[str, Any]) -> None:
    import anyio

    async def send() -> None:
        async with open_world() as world:
            body = json.dumps({**CREATION, **fields})
            response = await world.client.post(CREATE, content=body, headers=JSON)
            assert response.status_code in (202, 400, 402, 404)

    anyio.run(send)


@settings(max_examples=150)
@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "multipart/form-data; boundary=x"]),
)
def test_no_bytes_make_an_error_of_ours(body: bytes, content_type: str) -> None:
    import anyio

    async def send() -> None:
        async with open_world() as world:
            for path in (CREATE, "/v1/images/edits", "/v1/images/upload", "/_emulator/clock"):
                response = await world.client.post(
                    path, content=body, headers={"Content-Type": content_type}
                )
                assert response.status_code == 400

    anyio.run(send)

"""What the documents say about requests."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Request
from contracts.frames import RATIOS, SIZES, TIERS, Frame, Profile, frame, size_limits_broken
from contracts.model import NO_SUCH_TASK, Expectation, Wish, expectation, wish_of
from contracts.prices import assumed_price, worst_price
from emulator.core.errors import Refusal
from emulator.core.frame import resolve_frame
from emulator.core.pricing import PriceTable
from emulator.core.profile import MODEL_PAGE, REFERENCE
from tests.support.images import image_bytes

KEY = ("Authorization", "Bearer key-1")
BASE = {"model": "gpt-image-2", "prompt": "A lighthouse"}
URL = "http://target.example"
PNG = image_bytes()
PROFILES = {"model-page": MODEL_PAGE, "reference": REFERENCE}


def creation(body: Any, *headers: tuple[str, str], path: str = "/v1/images/generations") -> Request:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not any(name == "Content-Type" for name, _ in headers):
        headers = (("Content-Type", "application/json"), *headers)
    return Request("POST", URL + path, headers if KEY in headers else (KEY, *headers), content)


def form(
    texts: dict[str, str], *files: tuple[str, str, bytes], path: str = "/v1/images/edits"
) -> Request:
    parts = [(f'name="{name}"', "text/plain", value.encode()) for name, value in texts.items()]
    parts += [(f'name="{name}"; filename="a"', kind, content) for name, kind, content in files]
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; %b\r\nContent-Type: %b\r\n\r\n%b\r\n"
        % (name.encode(), kind.encode(), content)
        for name, kind, content in parts
    )
    headers = (KEY, ("Content-Type", "multipart/form-data; boundary=x"))
    return Request("POST", URL + path, headers, body + b"--x--\r\n")


def expected(request: Request) -> Expectation:
    found = expectation(request)
    assert found is not None
    return found


REFERENCES = ["https://pictures.example.com/a.png"]
# Fields of a creation; what is expected of it, by which claims; the field to blame.
FIELDS: list[tuple[dict[str, Any], str, tuple[str, ...], str | None]] = [
    ({}, "accept", ("GEN-1",), None),
    ({"size": "9:21", "resolution": "4K"}, "accept", ("GEN-1", "GEN-2", "GEN-5"), None),
    ({"size": "3840x2160"}, "accept", ("GEN-1", "GEN-3", "GEN-4"), None),
    ({"quality": "high", "n": 10}, "accept", ("GEN-1", "GEN-9", "GEN-10"), None),
    ({"input_images": REFERENCES * 16}, "accept", ("GEN-1", "GEN-11"), None),
    (
        {"aspect_ratio": "3:2", "imageSize": "2K"},
        "accept",
        ("GEN-1", "GEN-2", "GEN-5", "GEN-11"),
        None,
    ),
    ({"callback_url": "https://hooks.example.com/x"}, "accept", ("GEN-1", "GEN-12"), None),
    ({"style": {"vivid": True}, "n": 3}, "accept", ("GEN-15",), None),
    ({"prompt": "x" * 32_000}, "accept", ("GEN-16",), None),
    ({"model": None}, "reject", ("GEN-1",), "model"),
    ({"model": "gpt-image-99"}, "reject", ("MOD-2",), "model"),
    ({"model": "gpt-image-99", "n": 99}, "reject", ("MOD-2",), "model"),
    ({"model": ""}, "reject", ("MOD-2",), "model"),
    ({"prompt": ["a"]}, "reject", ("GEN-1",), "prompt"),
    ({"prompt": ""}, "reject", ("GEN-16",), "prompt"),
    ({"prompt": "x" * 32_001}, "reject", ("GEN-16",), "prompt"),
    ({"size": "1:5"}, "reject", ("GEN-2", "GEN-3"), "size"),
    ({"size": "1024X1024"}, "reject", ("GEN-2", "GEN-3"), "size"),
    ({"size": 1024}, "reject", ("GEN-2", "GEN-3"), "size"),
    ({"size": "0x1024"}, "reject", ("GEN-3",), "size"),
    ({"size": "1000x1000"}, "reject", ("GEN-4",), "size"),
    ({"size": f"{'9' * 400}x16"}, "reject", ("GEN-4",), "size"),
    ({"aspect_ratio": "1:5"}, "reject", ("GEN-2", "GEN-3"), "aspect_ratio"),
    ({"imageSize": "8K"}, "reject", ("GEN-11",), "imageSize"),
    ({"resolution": "1k"}, "reject", ("GEN-5",), "resolution"),
    ({"quality": "HIGH"}, "reject", ("GEN-9",), "quality"),
    ({"n": 0}, "reject", ("GEN-10",), "n"),
    ({"n": 11}, "reject", ("GEN-10",), "n"),
    ({"n": 1.5}, "reject", ("GEN-10",), "n"),
    ({"n": "11"}, "reject", ("GEN-10",), "n"),
    ({"n": True}, "reject", ("GEN-10",), "n"),
    ({"n": 10**300}, "reject", ("GEN-10",), "n"),
    ({"images": REFERENCES * 17}, "reject", ("GEN-11",), "images"),
    ({"image_urls": [*REFERENCES, "x"]}, "reject", ("GEN-11",), "image_urls[1]"),
    ({"input_images": {"url": "x"}}, "reject", ("GEN-11",), "input_images"),
    ({"callback_url": ""}, "reject", ("GEN-12",), "callback_url"),
    ({"callback_url": "ftp://hooks.example.com"}, "reject", ("GEN-12",), "callback_url"),
    ({"callback_url": "https://hooks.example.com:99999"}, "reject", ("GEN-12",), "callback_url"),
    ({"n": 0, "size": "1:5"}, "reject", ("GEN-10", "GEN-2", "GEN-3"), None),
    ({"n": 0, "quality": "auto"}, "reject", ("GEN-10",), "n"),
    ({"n": "3"}, "open", ("GEN-10",), "n"),
    ({"n": 3.0}, "open", ("GEN-10",), "n"),
    ({"n": None}, "open", ("GEN-10",), "n"),
    ({"quality": "auto"}, "open", ("GEN-9",), "quality"),
    ({"size": "01024x1024"}, "open", ("GEN-3",), "size"),
    ({"imageSize": "1000x1000"}, "open", ("GEN-11",), "imageSize"),
    ({"aspectRatio": "1024x1024"}, "open", ("GEN-11",), "aspectRatio"),
    ({"size": "1:1", "aspect_ratio": "2:1"}, "open", ("GEN-11",), None),
    ({"size": "1:1", "aspectRatio": "2:7"}, "open", ("GEN-11",), None),
    ({"size": "1:1", "aspectRatio": "2:7", "n": 0}, "reject", ("GEN-10",), "n"),
    ({"prompt": " \n"}, "open", ("GEN-16",), "prompt"),
    ({"prompt": "a\x00b"}, "open", ("GEN-16",), "prompt"),
    ({"prompt": "🗼" * 20_000}, "open", ("GEN-16",), "prompt"),
    ({"prompt": "a\ud800b"}, "open", (), None),
    ({"input_images": REFERENCES[0]}, "open", ("GEN-11",), "input_images"),
    ({"input_images": []}, "open", ("GEN-11",), "input_images"),
    ({"input_images": ["data:image/png;base64,xx"]}, "open", ("GEN-11",), "input_images"),
    ({"callback_url": "http://hooks.example.com"}, "open", ("GEN-12",), "callback_url"),
    ({"callback_url": "https://127.0.0.1/"}, "open", ("GEN-12",), "callback_url"),
    ({"callback_url": "https://hooks.localhost/"}, "open", ("GEN-12",), "callback_url"),
]


@pytest.mark.parametrize(("fields", "kind", "claims", "param"), FIELDS)
@pytest.mark.parametrize("path", ["/v1/images/generations", "/api/v1/images/generations"])
def test_fields(
    fields: dict[str, Any], kind: str, claims: tuple[str, ...], param: str | None, path: str
) -> None:
    found = expected(creation({**BASE, **fields}, path=path))
    assert (found.kind, found.param) == (kind, param)
    assert set(found.claims) == set(claims)
    assert found.why
    if kind == "reject":
        assert found.statuses == ({400, 404} if claims == ("MOD-2",) else {400})
    else:
        assert found.statuses == ({202} if kind == "accept" else set())


@pytest.mark.parametrize("field", ["model", "prompt"])
def test_gen_1_a_missing_field(field: str) -> None:
    found = expected(creation({name: value for name, value in BASE.items() if name != field}))
    assert (found.kind, found.claims, found.param) == ("reject", ("GEN-1",), field)


def test_what_an_error_blames_narrows_the_claims() -> None:
    found = expected(creation({**BASE, "n": 2, "input_images": REFERENCES}))
    assert found.claims_about("n") == ("GEN-10",)
    assert found.claims_about("input_images[0]") == ("GEN-11",)
    assert found.claims_about(None) == found.claims
    assert found.unless == {"input_images"}


JSON = ("Content-Type", "application/json")
WHOLE = json.dumps(BASE).encode()
BODIES: list[tuple[bytes, str, str]] = [
    (WHOLE, "application/json; charset=utf-8", "accept"),
    (WHOLE, "application/json; charset=utf-16", "open"),
    (WHOLE, "text/plain", "open"),
    (WHOLE + b" " * 2**20, "application/json", "open"),
    (b"", "application/json", "reject"),
    (b"{", "application/json", "reject"),
    (b"[]", "application/json", "reject"),
    (b"null", "application/json", "reject"),
    (b'{"prompt": "\xff"}', "application/json", "reject"),
    (b"a lighthouse", "text/plain", "reject"),
    (b"model=gpt-image-2&prompt=x", "application/x-www-form-urlencoded", "open"),
    (b"model=gpt-image-2", "application/x-www-form-urlencoded", "reject"),
    (b"\xef\xbb\xbf" + WHOLE, "application/json", "open"),
    (WHOLE.decode().encode("utf-16"), "application/json", "open"),
    (WHOLE[:-1] + b', "n": 1, "n": 2}', "application/json", "open"),
    (WHOLE[:-1] + b', "n": 0, "n": 2}', "application/json", "open"),
    (WHOLE[:-1] + b', "n": 0, "n": 11}', "application/json", "reject"),
    (WHOLE[:-1] + b', "x": {"a": 1, "a": 2}}', "application/json", "open"),
    (WHOLE[:-1] + b', "x": NaN}', "application/json", "open"),
    (WHOLE[:-1] + b', "n": NaN}', "application/json", "reject"),
    (WHOLE[:-1] + b', "x": ' + b"9" * 5000 + b"}", "application/json", "open"),
    (b"[" * 100_000, "application/json", "open"),
]


@pytest.mark.parametrize(("body", "content_type", "kind"), BODIES)
def test_bodies(body: bytes, content_type: str, kind: str) -> None:
    assert expected(creation(body, ("Content-Type", content_type))).kind == kind


def test_a_compressed_body_is_not_read() -> None:
    request = creation(b"x", JSON, ("Content-Encoding", "gzip"))
    assert expected(request).kind == "open"
    assert wish_of(request) is None


KEYS: list[tuple[tuple[tuple[str, str], ...], bool]] = [
    ((), False),
    ((("Authorization", "Bearer"),), False),
    ((("Authorization", "Bearer "),), False),
    ((("Authorization", "Basic a2V5"),), False),
    ((("Authorization", "sk-x"),), False),
    ((("Authorization", "Bearer unknown-key"),), False),
    ((("Authorization", "Bearer pk-x"),), False),
    ((("x-api-key", "unknown-key"),), False),
    ((("Authorization", "Bearer sk-x"),), True),
    ((("authorization", "bearer key-2"),), True),
    ((("Authorization", "Bearer [redacted]"),), True),
    ((("X-API-Key", "key-1"),), True),
]


@pytest.mark.parametrize(("headers", "is_good"), KEYS)
def test_auth_1_keys(headers: tuple[tuple[str, str], ...], is_good: bool) -> None:
    body = json.dumps({**BASE, "n": 0}).encode()
    found = expected(Request("POST", f"{URL}/v1/images/generations", (JSON, *headers), body))
    assert found.claims == (("GEN-10",) if is_good else ("AUTH-1",))
    assert found.statuses == ({400} if is_good else {401})
    read = expectation(Request("GET", f"{URL}/v1/tasks/task_1", headers))
    assert (read is None) == is_good


def test_requests_that_show_nothing() -> None:
    for method, path in (
        ("GET", "/v1/models"),
        ("GET", "/v1/nothing"),
        ("GET", "/media/task_1/1.png"),
        ("POST", "/_emulator/clock"),
        ("DELETE", "/v1/images/generations"),
    ):
        assert expectation(Request(method, URL + path)) is None
    assert expectation(Request("GET", f"{URL}/v1/credits/balance", (KEY,))) is None


@pytest.mark.parametrize("task_id", ["", "x", "TASK_1", "1", "..", NO_SUCH_TASK])
def test_task_10_ids_that_no_task_has(task_id: str) -> None:
    found = expected(Request("GET", f"{URL}/v1/tasks/{task_id}", (KEY,)))
    assert (found.kind, found.claims) == ("reject", ("TASK-10",))
    assert found.statuses == {404}


IMAGE = ("image", "image/png", PNG)
FORMS: list[tuple[Request, str, tuple[str, ...], str | None]] = [
    (form(BASE, IMAGE), "accept", ("EDIT-1", "EDIT-2", "GEN-1"), None),
    (form(BASE, *[("image[]", "image/png", PNG)] * 16), "accept", ("EDIT-1", "EDIT-2", "GEN-1"),
     None),
    (form({**BASE, "n": "2"}, IMAGE), "accept", ("GEN-15",), None),
    (form({**BASE, "n": "0"}, IMAGE), "open", ("GEN-15",), "n"),
    (form({**BASE, "size": "2:7"}, IMAGE), "reject", ("GEN-2", "GEN-3"), "size"),
    (form({**BASE, "size": ""}, IMAGE), "open", ("GEN-2",), "size"),
    (form({"model": "gpt-image-2"}, IMAGE), "reject", ("EDIT-1",), "prompt"),
    (form(BASE), "reject", ("EDIT-1",), "image"),
    (form({**BASE, "image": "x"}), "open", ("EDIT-1",), "image"),
    (form({**BASE, "image[]": "x"}, IMAGE), "open", ("EDIT-1",), "image[]"),
    (form(BASE, ("image", "image/gif", b"GIF89a")), "reject", ("EDIT-2",), "image"),
    (form(BASE, ("image", "image/png", PNG[:40])), "reject", ("EDIT-2",), "image"),
    (form(BASE, ("image", "image/jpeg", PNG)), "open", ("EDIT-2",), "image"),
    (form(BASE, *[IMAGE] * 17), "reject", ("EDIT-2",), "image"),
    (form(BASE, IMAGE, ("mask", "image/png", b"")), "reject", ("EDIT-2",), "mask"),
    (form(BASE, IMAGE, *[("mask", "image/png", PNG)] * 2), "open", ("EDIT-1",), "mask"),
    (form({}, ("file", "image/png", PNG), path="/v1/images/upload"), "accept", ("UPL-1",), None),
    (form({}, IMAGE, path="/v1/images/upload"), "reject", ("UPL-1",), "file"),
    (form({"file": "x"}, path="/v1/images/upload"), "open", ("UPL-1",), "file"),
    (form({}, ("file", "image/png", b"x"), path="/v1/images/upload"), "reject", ("UPL-1",),
     "file"),
    (creation({"file": 1}, path="/v1/images/edits"), "reject", ("EDIT-1",), None),
    (creation({}, path="/v1/images/upload"), "reject", ("UPL-1",), None),
    (creation(b"x", ("Content-Type", "multipart/form-data; boundary=x")), "reject", ("GEN-1",),
     None),
    (form(BASE, path="/v1/images/generations"), "open", (), None),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "kind", "claims", "param"), FORMS)
def test_forms(request_: Request, kind: str, claims: tuple[str, ...], param: str | None) -> None:
    found = expected(request_)
    assert (found.kind, set(found.claims), found.param) == (kind, set(claims), param)


def test_a_form_that_was_cut_off_is_open() -> None:
    whole = form(BASE, IMAGE)
    cut = Request("POST", whole.url, whole.headers, whole.body.removesuffix(b"--x--\r\n"))
    assert expected(cut).kind == "open"


@given(
    st.binary(max_size=60), st.sampled_from(["application/json", "multipart/form-data;boundary=x"])
)
def test_no_bytes_are_too_odd(body: bytes, content_type: str) -> None:
    for path in ("generations", "edits", "upload"):
        request = creation(body, ("Content-Type", content_type), path=f"/v1/images/{path}")
        assert expected(request).kind in ("reject", "open")
        assert worst_price(request, 30) >= 0
        wish_of(request)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(["model", "prompt", "size", "resolution", "quality", "n", "imageSize",
                         "input_images", "callback_url", "aspect_ratio"])  # fmt: skip


@given(st.dictionaries(NAMES | st.text(max_size=3), JSON_VALUES, max_size=4))
def test_no_object_is_too_odd(fields: dict[str, Any]) -> None:
    request = creation({**BASE, **fields})
    wish, found = wish_of(request), expected(request)
    assert worst_price(request, 30) >= 15
    if found.kind == "accept":
        assert wish is not None
        assert worst_price(request, 30) >= assumed_price(wish, "medium")


def test_a_wish_has_the_defaults() -> None:
    assert wish_of(creation(BASE)) == Wish("generations", "gpt-image-2", "A lighthouse")


def test_a_wish_in_legacy_spelling() -> None:
    body = {**BASE, "aspectRatio": "2:1", "imageSize": "4K", "images": REFERENCES, "n": 2,
            "quality": "low", "callback_url": "https://hooks.example.com"}  # fmt: skip
    assert wish_of(creation(body, path="/v1/images/generations/sync")) == Wish(
        "sync", "gpt-image-2", "A lighthouse", "2:1", "4K", "low", 2, tuple(REFERENCES), 0,
        "https://hooks.example.com",
    )  # fmt: skip
    assert wish_of(creation({**BASE, "imageSize": "16:9"})) == Wish(
        "generations", "gpt-image-2", "A lighthouse", "16:9"
    )


def test_a_wish_in_a_form() -> None:
    wish = wish_of(form({**BASE, "n": "3"}, IMAGE, ("image[]", "image/png", PNG)))
    assert wish == Wish("edits", "gpt-image-2", "A lighthouse", n=3, image_parts=2)


def test_no_wish() -> None:
    assert wish_of(Request("GET", f"{URL}/v1/tasks/task_1")) is None
    assert wish_of(form({}, ("file", "image/png", PNG), path="/v1/images/upload")) is None
    unreadable: list[dict[str, Any]] = [
        {"n": "many"}, {"prompt": 5}, {"images": {}}, {"images": [1]}, {"size": ["1:1"]},
    ]  # fmt: skip
    for fields in unreadable:
        assert wish_of(creation({**BASE, **fields})) is None


PIXEL_SIZES = st.builds("{}x{}".format, st.integers(0, 4000), st.integers(0, 4000))
SOME_SIZES = st.sampled_from(SIZES) | PIXEL_SIZES | st.sampled_from(
    [f"{16 * width}x{16 * height}" for width in range(30, 250, 7) for height in range(30, 250, 7)]
)  # fmt: skip


@pytest.mark.parametrize("profile", ["model-page", "reference"])
@given(size=SOME_SIZES, tier=st.sampled_from(TIERS))
def test_frames_are_the_emulators(profile: Profile, size: str, tier: str) -> None:
    found = frame(size, tier, profile)
    try:
        emulated = resolve_frame(size, tier, PROFILES[profile])
    except Refusal:
        assert found is None
    else:
        assert found == Frame(emulated.width_px, emulated.height_px)


def test_every_ratio_has_a_frame_inside_the_limits() -> None:
    for ratio in RATIOS:
        for tier in TIERS:
            found = frame(ratio, tier, "model-page")
            assert found is not None
            assert size_limits_broken(found.width_px, found.height_px) == []
    assert frame("1:1", "8K", "model-page") is None
    assert frame("1:5", "1K", "reference") is None


@given(SOME_SIZES, st.sampled_from(TIERS), st.sampled_from(["low", "medium", "high", "auto"]))
def test_cred_5_prices_are_the_emulators(size: str, tier: str, quality: str) -> None:
    if frame(size, tier, "reference") is None:
        return
    wish = Wish("generations", "gpt-image-2", "x", size, tier, None, 3)
    assert assumed_price(wish, quality) == 3 * PriceTable().credits_per_image(size, tier, quality)


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({}, 30),
        ({"n": 99}, 30 * 99),
        ({"n": 10**40}, 30 * 1000),
        ({"n": -5}, 30),
        ({"n": 1.5}, 60),
        ({"n": "7"}, 210),
        ({"n": [3]}, 30),
        ({"resolution": "4K", "quality": "high", "n": 2}, 480),
        ({"resolution": "8K", "quality": "ultra"}, 240),
        ({"quality": "low"}, 30),
        ({"imageSize": "2K"}, 60),
        ({"imageSize": "2048x2048"}, 60),
        ({"size": "3840x2160"}, 120),
        ({"size": "3840x3840"}, 214),
        ({"size": f"{'9' * 30}x{'9' * 30}"}, 1200),
        ({"size": 5, "resolution": None}, 120),
    ],
)
def test_the_worst_price(fields: dict[str, Any], price: int) -> None:
    assert worst_price(creation({**BASE, **fields}), Fraction(30)) == price


def test_the_worst_price_of_other_requests() -> None:
    assert worst_price(creation(b"{"), 15.5) == 16
    assert worst_price(creation(b'{"n": 2, "n": 50}'), 30) == 1500
    assert worst_price(form({**BASE, "n": "4"}, IMAGE), 30) == 120
    assert worst_price(form({}, ("file", "image/png", PNG), path="/v1/images/upload"), 30) == 0
    assert worst_price(Request("GET", f"{URL}/v1/models"), 30) == 0

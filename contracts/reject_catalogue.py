"""The must-reject requests, by claim; those that cost least if they are accepted come first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.exchange import Headers, Part, Request
from contracts.field_rules import MAX_PROMPT_CHARACTERS, MAX_REFERENCE_IMAGES, MODEL
from contracts.image_file import blank_png
from contracts.model import NO_SUCH_TASK
from contracts.prices import DEFAULT_IMAGE_CREDITS, worst_price
from contracts.rejects import Operation, Reject, build

VALID: Mapping[str, Any] = {"model": MODEL, "prompt": "A small grey stone", "quality": "low"}
_REFERENCE = "https://pictures.example.com/stone.png"
_TOO_MANY = [_REFERENCE] * (MAX_REFERENCE_IMAGES + 1)
_TOO_LONG = "x" * (MAX_PROMPT_CHARACTERS + 1)
_GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00"
    b"\x00\x02\x02D\x01\x00;"
)

# Claims, the field, and values that it does not take.
_BAD_FIELDS: tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...] = (
    (("GEN-1",), "model", (None, 7, [MODEL])),
    (("MOD-2",), "model", ("", "no-such-model", "gpt-image-99", MODEL.upper())),
    (("GEN-1",), "prompt", (None, 7, ["A stone"], {"text": "A stone"})),
    (("GEN-16",), "prompt", ("", _TOO_LONG)),
    (("GEN-2", "GEN-3"), "size", (
        "1:5", "7:5", "5:1", "16:9 ", "AUTO", "square", "1024X1024", "1024x", "1024x1024x1",
        "1024*1024", "-1024x1024", "1024.0x1024", "", 1024, True, ["1:1"],
    )),
    (("GEN-3",), "size", ("0x1024", "1024x0")),
    (("GEN-4",), "size", (
        "1000x1000", "1032x1024", "512x512", "640x1008", "3840x1216", "1024x3088", "4096x1024",
        "3856x2160", "3840x2176", "3840x3840",
    )),
    (("GEN-5",), "resolution", ("8K", "1k", "0K", "1024", "", 2, ["1K"])),
    (("GEN-9",), "quality", ("ultra", "HIGH", "standard", "hd", "", 3, True, ["low"])),
    (("GEN-10",), "n", (0, -1, 11, 1.5, 10.5, "0", "11", "two", "", True, False, [1], {"n": 1})),
    (("GEN-11",), "input_images", (_TOO_MANY, {"url": _REFERENCE})),
    (("GEN-11",), "image_urls", (_TOO_MANY,)),
    (("GEN-11",), "images", (_TOO_MANY,)),
    (("GEN-2", "GEN-3"), "aspect_ratio", ("1:5",)),
    (("GEN-2", "GEN-3"), "aspectRatio", ("wide",)),
    (("GEN-11",), "imageSize", ("8K",)),
    (("GEN-12",), "callback_url", (
        "", "not a url", "/hook", "//hooks.example.com/", "https://", "ftp://hooks.example.com/",
        "javascript:alert(1)", "https://hooks.example.com:99999/", "https://hooks example.com/", 5,
    )),
)  # fmt: skip
_BROKEN_BODIES = {
    "empty": b"",
    "an open brace": b"{",
    "a trailing comma": b'{"model": "gpt-image-2", "prompt": "A stone",}',
    "single quotes": b"{'model': 'gpt-image-2', 'prompt': 'A stone'}",
    "bytes that are no UTF-8": b'{"model": "gpt-image-2", "prompt": "\xff\xfe"}',
    "an array": b'[{"model": "gpt-image-2", "prompt": "A stone"}]',
    "a string": b'"A stone"',
    "null": b"null",
}
_BAD_KEYS: dict[str, Headers] = {
    "no key": (),
    "an empty key": (("Authorization", "Bearer"),),
    "the scheme Basic": (("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),),
    "no scheme": (("Authorization", "unknown-key"),),
    "a key without sk-": (("Authorization", "Bearer unknown-key"),),
    "an x-api-key without sk-": (("x-api-key", "unknown-key"),),
}
_ODD_TASK_IDS = (NO_SUCH_TASK, "nothing", "0", "req_abc123", "%F0%9F%97%BC", "%27%20OR%201%3D1")
_FILE_FIELDS: dict[Operation, str] = {"edits": "image", "upload": "file"}
# Claims that rest on no source where they say that something is refused.
_ASSUMED = frozenset({"GEN-4", "GEN-16", "MOD-2"})
# Another spelling of a documented value: refusing it is strict, taking it is kind.
_OTHER_SPELLINGS = ("16:9 ", "AUTO", "1024X1024", "1k", "HIGH")


def _fields() -> Iterator[Reject]:
    for claims, name, values in _BAD_FIELDS:
        for value in values:
            # GEN-5: a resolution acts only where the size is a ratio.
            base = {**VALID, "size": "1:1"} if name == "resolution" else VALID
            documented = not _ASSUMED.issuperset(claims) and value not in _OTHER_SPELLINGS
            yield Reject(
                f"{name} is {_shown(value)}", claims, fields={**base, name: value},
                param=name, documented=documented,
            )  # fmt: skip
    for name in ("model", "prompt"):
        fields = {key: value for key, value in VALID.items() if key != name}
        yield Reject(f"{name} is missing", ("GEN-1",), fields=fields, param=name)
    for place, references in ((1, [_REFERENCE, "stone.png"]), (0, [7])):
        param = f"input_images[{place}]"
        fields = {**VALID, "input_images": references}
        yield Reject(f"{param} is no URL", ("GEN-11",), fields=fields, param=param)


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > 40:
        return f"{len(value):,} characters"
    if isinstance(value, list) and len(value) > 2:
        return f"a list of {len(value)}"
    return repr(value)


def _bodies() -> Iterator[Reject]:
    for what, body in _BROKEN_BODIES.items():
        yield Reject(f"the body is {what}", ("GEN-1",), body=body)
    yield Reject(
        "the body is no JSON, and says so", ("GEN-1",), body=b"A small grey stone",
        content_type="text/plain",
    )  # fmt: skip


def _keys() -> Iterator[Reject]:
    for what, headers in _BAD_KEYS.items():
        yield Reject(f"generations with {what}", ("AUTH-1",), fields=VALID, key_headers=headers)
    # ERR-9: the key comes before the body
    yield Reject(
        "generations with no key, n is 0", ("AUTH-1",), fields={**VALID, "n": 0}, key_headers=()
    )
    yield Reject("generations with no key, no JSON", ("AUTH-1",), body=b"{", key_headers=())
    without_files: tuple[Operation, ...] = ("sync", "balance")
    for operation in without_files:
        yield Reject(
            f"{operation} with no key", ("AUTH-1",), operation, fields=VALID, key_headers=()
        )
    for operation, name in _FILE_FIELDS.items():
        yield Reject(
            f"{operation} with no key", ("AUTH-1",), operation, VALID, (_png(name),), key_headers=()
        )
    for what in ("no key", "a key without sk-"):
        yield Reject(
            f"tasks with {what}", ("AUTH-1",), "tasks", key_headers=_BAD_KEYS[what],
            task_id=NO_SUCH_TASK,
        )  # fmt: skip


def _png(name: str) -> Part:
    return Part(name, "stone.png", "image/png", blank_png())


def _forms() -> Iterator[Reject]:
    texts = {"model": MODEL, "prompt": "A small grey stone"}
    unreadable = {
        "empty": b"",
        "a text": b"A small grey stone",
        "a GIF": _GIF,
        "a PNG that was cut off": blank_png()[:60],
    }

    def edit(
        what: str, claim: str, param: str, fields: Mapping[str, Any], *files: Part,
        documented: bool = True,
    ) -> Reject:  # fmt: skip
        return Reject(
            f"an edit whose {what}", (claim,), "edits", fields, files, param=param,
            documented=documented,
        )  # fmt: skip

    for name in ("model", "prompt"):
        fields = {key: value for key, value in texts.items() if key != name}
        yield edit(f"{name} is missing", "EDIT-1", name, fields, _png("image"))
    yield edit("image is missing", "EDIT-1", "image", texts)
    yield edit(
        "size is 512x512",
        "GEN-4",
        "size",
        {**texts, "size": "512x512"},
        _png("image"),
        documented=False,
    )
    yield edit("images are 17", "EDIT-2", "image", texts, *[_png("image")] * len(_TOO_MANY))
    no_model = {**texts, "model": "no-such-model"}
    yield edit("model is unknown", "MOD-2", "model", no_model, _png("image"), documented=False)
    for what, content in unreadable.items():
        broken = Part("image", "stone.png", "image/png", content)
        yield edit(f"image is {what}", "EDIT-2", "image", texts, broken, documented=False)
        yield Reject(
            f"an upload of {what}", ("UPL-1",), "upload", files=(replace(broken, name="file"),),
            param="file", documented=False,
        )  # fmt: skip
    no_mask = Part("mask", "mask.png", "image/png", b"A mask")
    yield edit("mask is a text", "EDIT-2", "mask", texts, _png("image"), no_mask, documented=False)
    yield Reject("an upload of nothing", ("UPL-1",), "upload", {"name": "stone"}, param="file")
    yield Reject("an upload as image", ("UPL-1",), "upload", files=(_png("image"),), param="file")
    yield Reject(
        "an upload of JSON", ("UPL-1",), "upload", body=b"{}", content_type="application/json"
    )


def _sync() -> Iterator[Reject]:
    """The synchronous creation takes the same body, so a case a claim is enough."""
    claims_seen: set[tuple[str, ...]] = set()
    for reject in (*_fields(), *_bodies()):
        if reject.claims not in claims_seen:
            claims_seen.add(reject.claims)
            yield replace(reject, name=f"sync whose {reject.name}", operation="sync")


def _tasks() -> Iterator[Reject]:
    for task_id in _ODD_TASK_IDS:
        yield Reject(f"the task {task_id}", ("TASK-10",), "tasks", task_id=task_id)


def _worst_price(reject: Reject) -> int:
    method, path, headers, content = build(reject, "sk-x")
    request = Request(method, f"http://target.example{path}", headers, content)
    return worst_price(request, DEFAULT_IMAGE_CREDITS)


def _in_order(rejects: Iterable[Reject]) -> Iterator[Reject]:
    """Sort by what a request costs if it is accepted, then so that each claim comes early."""
    seen: Counter[tuple[str, ...]] = Counter()
    ranked = []
    for reject in rejects:
        ranked.append((_worst_price(reject), seen[reject.claims], reject))
        seen[reject.claims] += 1
    yield from (reject for _, _, reject in sorted(ranked, key=lambda entry: entry[:2]))


CATALOGUE: tuple[Reject, ...] = tuple(
    _in_order((*_keys(), *_tasks(), *_fields(), *_bodies(), *_sync(), *_forms()))
)

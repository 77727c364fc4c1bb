"""What the documents say about a request, read from the request alone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.exchange import Headers, Part, Request, header
from contracts.field_rules import (
    MAX_REFERENCE_IMAGES,
    REFERENCE_FIELDS,
    RULES,
    SIZE_FIELDS,
    TIER_FIELDS,
    Kind,
    Ruling,
    whole_number,
)
from contracts.frames import SIZES, TIERS, parse_pixel_size
from contracts.image_file import MEDIA_TYPES, image_format, is_readable
from contracts.sent import Endpoint, Sent, endpoint_of, read_sent

# No task has this id: the kit asks for it where it wants to be told that there is none (TASK-10).
NO_SUCH_TASK = "task_no_such_task"

_READS = re.compile(r"GET .*/v1/(tasks/(?P<task_id>[^/]*)|credits/balance)$")
_IMAGE_PARTS = ("image", "image[]")
_SPELLINGS = (SIZE_FIELDS, TIER_FIELDS, REFERENCE_FIELDS)
_EDIT_FIELDS = ("model", "prompt", "size")  # EDIT-1 names no other texts
_SUCCESSES: dict[Endpoint, frozenset[int]] = {
    "generations": frozenset({202}),
    "sync": frozenset({200, 202}),
    "edits": frozenset({200, 202}),
    "upload": frozenset({200}),
}


@dataclass(frozen=True)
class Wish:
    """What a creation asks for, with the defaults filled in.

    Attributes:
        endpoint: ``generations``, ``sync`` or ``edits``.
        model, prompt: as sent.
        size: ``auto`` where none was sent (GEN-2).
        resolution: ``1K`` where none was sent (GEN-5).
        quality: None where none was sent: the sources disagree about the default (GEN-9).
        n: number of images; 1 where it was not sent (GEN-10).
        references: URLs of reference images (GEN-11).
        image_parts: how many reference images were uploaded with it (EDIT-1).
        callback_url: None where none was sent (GEN-12).
    """

    endpoint: Endpoint
    model: str
    prompt: str
    size: str = "auto"
    resolution: str = "1K"
    quality: str | None = None
    n: int = 1
    references: tuple[str, ...] = ()
    image_parts: int = 0
    callback_url: str | None = None


@dataclass(frozen=True)
class Expectation:
    """What the documents say will become of a request.

    Attributes:
        kind: ``accept``: it is valid, so only what it does not show can stand against it (credits,
            limits of the key, the content policy, an outage). ``reject``: it must not be accepted.
            ``open``: no document decides, or they disagree.
        claims: those that say so, the most direct ones first.
        statuses: that an answer has that does as the documents say; empty where it is open.
        param: the field to blame; None where there is none, or more than one.
        why: for people.
        unless: fields that may be blamed although the request is valid, because what they refer
            to is not in it.
        claims_by_field: of each field, those that ``kind`` rests on.
    """

    kind: Kind
    claims: tuple[str, ...]
    statuses: frozenset[int]
    param: str | None
    why: str
    unless: frozenset[str] = frozenset()
    claims_by_field: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def claims_about(self, param: str | None) -> tuple[str, ...]:
        """The claims about the field that an error blames; all of them where it blames none."""
        return self.claims_by_field.get((param or "").partition("[")[0], self.claims)


def wish_of(request: Request) -> Wish | None:
    """Read what a creation asks for; None where the request is none, or can't be read."""
    sent = read_sent(request)
    if sent is None or sent.endpoint == "upload" or sent.state in ("unread", "broken"):
        return None
    legacy = sent.first("imageSize")
    size = sent.first(*SIZE_FIELDS) or (legacy if _is_size(legacy) else "auto")
    tier = sent.first("resolution") or (legacy if legacy in TIERS else "1K")
    count = 1 if sent.first("n") in (None, "") else whole_number(sent.first("n"))
    references = sent.first(*REFERENCE_FIELDS)
    if references is None or isinstance(references, str):
        references = [references] if references else []
    model, prompt = sent.first("model"), sent.first("prompt")
    quality, callback_url = sent.first("quality") or None, sent.first("callback_url") or None
    if count is None or not isinstance(references, list):
        return None
    texts = (model, prompt, size, tier, quality or "", callback_url or "", *references)
    if not all(isinstance(text, str) for text in texts):
        return None
    image_parts = sum(len(sent.files.get(name, ())) for name in _IMAGE_PARTS)
    return Wish(
        sent.endpoint, model, prompt, size, tier, quality, count, tuple(references), image_parts,
        callback_url,
    )  # fmt: skip


def _is_size(value: Any) -> bool:
    return isinstance(value, str) and (value in SIZES or parse_pixel_size(value) is not None)


def expectation(request: Request) -> Expectation | None:
    """What the documents say about a request, by its headers and its body.

    Returns:
        None where they say nothing that the request alone could show: it is no creation, no
        upload, and nothing is wrong with its key.
    """
    if endpoint_of(request) is None and not _READS.search(f"{request.method} {request.path}"):
        return None
    key = _key_ruling(request)
    if key is not None:  # ERR-9: the key comes first
        return _expectation([(None, key)], frozenset())
    sent = read_sent(request)
    if sent is None:
        return _expectation_of_task(request)
    if sent.state == "unread":
        return Expectation("open", (), frozenset(), None, sent.why)
    rulings = list(_upload_rulings(sent) if sent.endpoint == "upload" else _rulings(sent))
    unknown = [ruling for _, ruling in rulings if ruling.claims == ("MOD-2",)]
    if unknown and sent.first("model"):  # what holds for this model holds for no other
        return _expectation([("model", unknown[0])], frozenset())
    if sent.state == "doubtful":
        rulings.append((None, Ruling("open", (), sent.why)))
    found = _expectation(rulings, _SUCCESSES[sent.endpoint])
    if found.kind == "reject" and sent.state == "doubtful":
        return replace(found, param=None)  # a server may not come as far as the field
    referring = [name for name in REFERENCE_FIELDS if name in sent.values]
    return replace(found, unless=frozenset(referring)) if found.kind == "accept" else found


def _expectation(
    rulings: Iterable[tuple[str | None, Ruling]], successes: frozenset[int]
) -> Expectation:
    """Put rulings on the parts of a request together: the worst decides."""
    rulings = list(rulings)
    kinds = {ruling.kind for _, ruling in rulings}
    kind: Kind = "reject" if "reject" in kinds else "open" if "open" in kinds else "accept"
    decisive = [(name, ruling) for name, ruling in rulings if ruling.kind == kind]
    # Where a source and an assumption stand behind a request, a refusal breaks the assumption.
    weakest = [ruling for _, ruling in decisive if ruling.is_assumed]
    grounds = weakest or [ruling for _, ruling in decisive]
    claims = tuple(dict.fromkeys(claim for ruling in grounds for claim in ruling.claims))
    by_field = {name: ruling.claims for name, ruling in decisive if name}
    blamed = {name and name + ruling.inside for name, ruling in decisive}
    param = blamed.pop() if len(blamed) == 1 and kind != "accept" else None
    why = "; ".join(dict.fromkeys(ruling.why for _, ruling in decisive if ruling.why))
    if kind == "reject":
        successes = frozenset().union(*(ruling.statuses for _, ruling in decisive))
    statuses = frozenset() if kind == "open" else successes
    why = why or "the documents allow all of it"
    return Expectation(kind, claims, statuses, param, why, claims_by_field=by_field)


def _expectation_of_task(request: Request) -> Expectation | None:
    match = _READS.search(f"{request.method} {request.path}")
    task_id = match and match["task_id"]
    if task_id is None or (task_id.startswith("task_") and task_id != NO_SUCH_TASK):
        return None
    why = f"no task is called {task_id!r}"
    return Expectation("reject", ("TASK-10",), frozenset({404}), None, why)


def _key_ruling(request: Request) -> Ruling | None:
    """Say why a request's key can't be good; None where it can (AUTH-1, AUTH-2)."""
    key = sent_key(request.headers)
    if key is None:
        why = "there is no key"
    elif re.match(r"sk-|key-[0-9]+$", key) or not re.fullmatch(r"[\w.~+/=-]+", key, re.ASCII):
        return None  # AUTH-3; what no key can look like was masked by whoever recorded it
    else:
        why = "the key does not begin with sk-"
    return Ruling("reject", ("AUTH-1",), why, frozenset({401}))


def sent_key(headers: Headers) -> str | None:
    """The key of a request, or the label that stands for it; None where it has none."""
    scheme, _, key = (header(headers, "authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return (header(headers, "x-api-key") or "").strip() or None


def _rulings(sent: Sent) -> Iterable[tuple[str | None, Ruling]]:
    """Rule on each part of a creation."""
    is_edit = sent.endpoint == "edits"
    if sent.state == "broken":
        yield None, Ruling("reject", ("EDIT-1",) if is_edit else ("GEN-1",), sent.why)
        return
    yield None, Ruling("accept", _endpoint_claims(sent.endpoint))
    for name in ("model", "prompt"):
        if name not in sent.values:
            claim = "EDIT-1" if is_edit else "GEN-1"
            yield name, Ruling("reject", (claim,), f"there is no {name}")
    rivals = _rival_spellings(sent)
    for name, values in sent.values.items():
        if is_edit and name in (*_IMAGE_PARTS, "mask"):
            yield name, Ruling("open", ("EDIT-1",), f"{name} is no file")
        elif name in rivals:
            yield None, Ruling("open", ("GEN-11",), "two spellings of the same field")
        else:
            yield name, _field_ruling(sent, name, values)
    if is_edit:
        yield from _image_rulings(sent)


def _rival_spellings(sent: Sent) -> set[str]:
    """Names of fields that were sent in two spellings, where no document says which one counts."""
    groups = [set(names) & set(sent.values) for names in _SPELLINGS]
    return set().union(*(names for names in groups if len(names) > 1))


def _endpoint_claims(endpoint: Endpoint) -> tuple[str, ...]:
    return {"sync": ("SYNC-1",), "edits": ("EDIT-1", "EDIT-2")}.get(endpoint, ())


def _field_ruling(sent: Sent, name: str, values: tuple[Any, ...]) -> Ruling:
    rule = RULES.get(name)
    if rule is None:
        return Ruling("accept", ("GEN-15",), is_assumed=True)
    rulings = [rule(value, sent.is_form) for value in values]
    worst = next((one for kind in ("open", "reject") for one in rulings if one.kind == kind), None)
    beyond = sent.endpoint == "edits" and name not in _EDIT_FIELDS
    if worst is None:
        return Ruling("accept", ("GEN-15",), is_assumed=True) if beyond else rulings[0]
    if worst.kind == "open" or any(one.kind != "reject" for one in rulings):
        return replace(worst, kind="open")
    if values[0] is None and name not in ("model", "prompt"):
        return Ruling("open", worst.claims, f"null may mean that no {name} is asked for")
    if beyond:
        return Ruling("open", ("GEN-15",), f"no document says that edits have {name}")
    return worst


def _image_rulings(sent: Sent) -> Iterable[tuple[str | None, Ruling]]:
    images = [part for name in _IMAGE_PARTS for part in sent.files.get(name, ())]
    if not images and not any(name in sent.values for name in (*_IMAGE_PARTS, *REFERENCE_FIELDS)):
        yield "image", Ruling("reject", ("EDIT-1",), "there is no image")
    if len(images) > MAX_REFERENCE_IMAGES:
        why = f"{len(images)} images are more than {MAX_REFERENCE_IMAGES}"
        yield "image", Ruling("reject", ("EDIT-2",), why)
        return
    masks = sent.files.get("mask", ())
    if len(masks) > 1:
        yield "mask", Ruling("open", ("EDIT-1",), "there is more than one mask")
    for part in (*images, *masks):
        yield part.name, _file_ruling(part, "EDIT-2")


def _file_ruling(part: Part, claim: str) -> Ruling:
    readable = is_readable(part.content)
    if readable is None:
        return Ruling("open", (claim,), f"{part.name} is a very large image")
    if not readable:
        return Ruling("reject", (claim,), f"{part.name} is no readable JPEG, PNG or WebP image")
    if part.media_type != MEDIA_TYPES[image_format(part.content) or ""]:
        return Ruling("open", (claim,), f"{part.name} is said to be {part.media_type}")
    return Ruling("accept", (claim,))


def _upload_rulings(sent: Sent) -> Iterable[tuple[str | None, Ruling]]:
    """Rule on the file of an upload (UPL-1)."""
    files = sent.files.get("file", ())
    if len(files) == 1:
        yield "file", _file_ruling(files[0], "UPL-1")
    elif files or "file" in sent.values:
        yield "file", Ruling("open", ("UPL-1",), "the form has no single file")
    else:
        yield "file", Ruling("reject", ("UPL-1",), "there is no file")

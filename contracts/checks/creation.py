"""Which creations are taken, which are refused, and what an accepted one answers."""

from collections.abc import Iterator

from contracts.checks.evidence import (
    CONTENT_CODES,
    NO_ROUTE,
    answer_of,
    call_of,
    error_of,
    expected_with,
    fields_sent,
    is_emulator,
    json_creations,
    limits_of,
    outcome_of,
    request_shown,
    shown,
    text_in,
    was_taken,
)
from contracts.exchange import fields_of, split_url
from contracts.field_rules import MODEL, callback_rule, http_url
from contracts.findings import Finding, breaks, holds, judged, judges, reads, unsupported
from contracts.observed import GENERATIONS, MODELS, TASKS, Creation
from contracts.view import View

_VALID_CLAIMS = (
    "GEN-1", "GEN-2", "GEN-3", "GEN-4", "GEN-5", "GEN-9", "GEN-10", "GEN-11", "GEN-12",
)  # fmt: skip
_INVALID_CLAIMS = ("GEN-1", "GEN-2", "GEN-3", "GEN-5", "GEN-9", "GEN-10", "GEN-11")
_LEGACY_FIELDS = ("aspect_ratio", "aspectRatio", "imageSize")
_MODEL_NOT_FOUND = "model_not_found"
_OWN_REFUSALS = (_MODEL_NOT_FOUND, "model_not_allowed", "internal_error")
_PUBLIC_CALLBACK = "https://hooks.example.com/"


@judges(*_VALID_CLAIMS)
def valid_request_is_accepted(view: View) -> Iterator[Finding]:
    """A creation that the documents allow in every field is taken (GEN-1 to GEN-12)."""
    for creation in json_creations(view):
        expected = creation.expected
        if expected is None or expected.kind != "accept":
            continue
        taken = _valid_was_taken(view, creation)
        of_fields = {claim for claims in expected.claims_by_field.values() for claim in claims}
        error = error_of(creation.exchange)
        param, is_too_many = text_in(error, "param"), error.get("code") == "too_many_images"
        if taken:
            yield from (holds(claim, creation.exchange) for claim in sorted(of_fields)
                        if claim in _VALID_CLAIMS)  # fmt: skip
        elif taken is None:
            if _has_no_route(creation):
                message = f"{call_of(creation.exchange)} is not there: {creation.status}"
                yield unsupported("GEN-1", message, creation.exchange)
        elif param.partition("[")[0] not in expected.unless or is_too_many:
            message = f"valid, with {request_shown(creation.exchange)}: {_answered(creation)}"
            for claim in expected.claims_about(param):
                if claim in _VALID_CLAIMS:
                    yield breaks(claim, message, creation.exchange)


def _answered(creation: Creation) -> str:
    return f"answered {outcome_of(creation.exchange)}"


def _may_be_about(creation: Creation, field: str) -> bool:
    """Whether a refusal may be one for a field: it blames this one, or none."""
    return text_in(error_of(creation.exchange), "param").partition("[")[0] in ("", field)


def _valid_was_taken(view: View, creation: Creation) -> bool | None:
    """Whether a valid creation was taken; None where its answer does not tell."""
    code = text_in(error_of(creation.exchange), "code")
    if is_emulator(view) and code in _OWN_REFUSALS:
        # It has the model, and a key may use it unless it is known to be limited.
        return None if "models" in limits_of(view, creation.exchange.sender) else False
    return was_taken(view, creation)


def _has_no_route(creation: Creation) -> bool:
    """Whether there is no such route; a 404 about the model is none of that."""
    error = error_of(creation.exchange)
    told = f"{text_in(error, 'code')} {text_in(error, 'param')} {text_in(error, 'message')}"
    return creation.status in NO_ROUTE and "model" not in told.lower()


@judges(*_INVALID_CLAIMS)
def invalid_request_is_refused(view: View) -> Iterator[Finding]:
    """A creation that the documents forbid in both profiles is not taken (GEN-1 to GEN-11)."""
    for creation in json_creations(view):
        claims, why = _forbidden_by(view, creation)
        taken = was_taken(view, creation)
        if not claims or taken is None:
            continue
        for claim in claims:
            message = f"{why}: {_answered(creation)}, not 400"
            yield judged(claim, not taken, message, creation.exchange)


def _forbidden_by(view: View, creation: Creation) -> tuple[tuple[str, ...], str]:
    """The claims that forbid a creation, and why; none where it may be taken.

    Of a refused one with several faults nobody knows which of them was seen.
    """
    expected = creation.expected
    if expected is not None and expected.kind == "reject":
        both = {*expected.claims, *(("GEN-11",) if expected.param in _LEGACY_FIELDS else ())}
        known = tuple(claim for claim in _INVALID_CLAIMS if claim in both)
        is_clear = creation.accepted or len(expected.claims_by_field) < 2
        return (known if is_clear else ()), expected.why
    # The documents don't forbid null; an emulator does.
    absent = [name for name, value in fields_sent(creation.exchange.request).items()
              if value is None]  # fmt: skip
    if expected is None or not is_emulator(view) or len(absent) != 1:
        return (), ""
    claims = expected.claims_by_field.get(absent[0], ())
    return tuple(claim for claim in claims if claim in _INVALID_CLAIMS), f"{absent[0]} is null"


@judges("GEN-4")
def size_outside_the_limits(view: View) -> Iterator[Finding]:
    """A ``WIDTHxHEIGHT`` outside the model's limits is refused or mapped (GEN-4)."""
    for creation in json_creations(view):
        expected, taken = creation.expected, was_taken(view, creation)
        if expected is None or expected.kind != "reject" or taken is None:
            continue
        if expected.claims == ("GEN-4",) and (
            taken or _may_be_about(creation, expected.param or "")
        ):
            message = f"{request_shown(creation.exchange)}: {_answered(creation)}"
            yield reads("GEN-4", "B" if taken else "A", message, creation.exchange)


@judges("GEN-9")
def quality_auto(view: View) -> Iterator[Finding]:
    """``quality: auto`` is refused or taken (GEN-9)."""
    for creation in json_creations(view):
        request, taken = creation.exchange.request, was_taken(view, creation)
        if fields_sent(request).get("quality") != "auto" or taken is None:
            continue
        if not taken and not _may_be_about(creation, "quality"):
            continue
        expected = expected_with(request, quality="medium")
        if expected is not None and expected.kind == "accept":
            message = f"quality auto: {_answered(creation)}"
            yield reads("GEN-9", "B" if taken else "A", message, creation.exchange)


@judges("GEN-12")
def callback_url_is_checked(view: View) -> Iterator[Finding]:
    """What is no URL is refused as ``callback_url``; what is not public https is read (GEN-12)."""
    for creation in json_creations(view):
        request, taken = creation.exchange.request, was_taken(view, creation)
        url = fields_sent(request).get("callback_url")
        if url is None or taken is None:
            continue
        if not taken and not _may_be_about(creation, "callback_url"):
            continue
        expected = expected_with(request, callback_url=_PUBLIC_CALLBACK)
        if expected is None or expected.kind != "accept":
            continue
        message = f"callback_url {shown(url)!r}: {_answered(creation)}"
        if http_url(url) is None:
            yield judged("GEN-12", not taken, message, creation.exchange)
        elif callback_rule(url, False).kind == "open":
            yield reads("GEN-12", "A" if taken else "B", message, creation.exchange)


@judges("GEN-13")
def answer_has_its_members(view: View) -> Iterator[Finding]:
    """An accepted creation is a 202 with all of its members (GEN-13)."""
    seen: set[str] = set()
    for creation in view.creations:
        if creation.accepted and creation.exchange.request.path == GENERATIONS:
            problems = list(_member_problems(creation))
            task_id = text_in(creation.answer, "task_id")
            if task_id in seen:
                problems.append(f"task_id {task_id} is that of an earlier creation")
            seen.add(task_id)
            message = f"a creation's answer: {'; '.join(problems)}"
            yield judged("GEN-13", not problems, message, creation.exchange)


def _member_problems(creation: Creation) -> Iterator[str]:
    answer = creation.answer
    if creation.status != 202:
        yield f"the status is {creation.status}, not 202"
    task_id = text_in(answer, "task_id")
    if not task_id.startswith("task_"):
        yield f"task_id is {shown(answer.get('task_id'))}, not task_..."
    for name in ("status", "request_id"):
        if not text_in(answer, name):
            yield f"{name} is {shown(answer.get(name))}, no text"
    path = split_url(text_in(answer, "poll_url")).path
    if not task_id or not path.endswith(TASKS + task_id):
        yield f"poll_url is {shown(answer.get('poll_url'))}, not {TASKS}{task_id or 'ID'}"
    reserved = fields_of(answer.get("credits")).get("reserved")
    if type(reserved) is not int:
        yield f"credits.reserved is {shown(reserved)}, no whole number"


@judges("GEN-13")
def answer_names_the_model(view: View) -> Iterator[Finding]:
    """An accepted creation's answer is without ``model``, or has that of the request (GEN-13)."""
    for creation in view.creations:
        if creation.task_id is None or creation.wish is None:
            continue
        model = creation.answer.get("model")
        if model is None:
            yield reads("GEN-13", "A", "a creation's answer has no model", creation.exchange)
        elif model == creation.wish.model:
            yield reads("GEN-13", "B", "a creation's answer names the model", creation.exchange)
        else:
            message = f"the answer to a creation with {creation.wish.model} names {shown(model)}"
            yield breaks("GEN-13", message, creation.exchange)


@judges("GEN-14")
def first_status(view: View) -> Iterator[Finding]:
    """The status in a creation's answer is ``pending`` or ``processing`` (GEN-14)."""
    letters = {"pending": "A", "processing": "B"}
    for creation in view.creations:
        status = creation.answer.get("status")
        if creation.task_id is not None and isinstance(status, str):
            message = f"a creation was answered with the status {status}"
            yield reads("GEN-14", letters.get(status, status), message, creation.exchange)


@judges("GEN-15")
def unknown_fields_are_ignored(view: View) -> Iterator[Finding]:
    """A creation whose only fault is a field that no document names is taken (GEN-15)."""
    for creation in json_creations(view):
        expected, taken = creation.expected, was_taken(view, creation)
        if expected is None or expected.kind != "accept" or taken is None:
            continue
        unknown = [name for name, claims in expected.claims_by_field.items()
                   if claims == ("GEN-15",)]  # fmt: skip
        param = text_in(error_of(creation.exchange), "param").partition("[")[0]
        is_about_another = param in expected.claims_by_field and param not in unknown
        if unknown and (taken or not is_about_another):
            message = f"a creation with the field {unknown[0]}: {_answered(creation)}"
            yield reads("GEN-15", "A" if taken else "refused", message, creation.exchange)


@judges("GEN-16")
def prompt_length(view: View) -> Iterator[Finding]:
    """Prompts of 1 to 32,000 characters are taken, others refused (GEN-16)."""
    for creation in json_creations(view):
        expected, taken = creation.expected, was_taken(view, creation)
        if expected is None or taken is None:
            continue
        length = len(text_in(fields_sent(creation.exchange.request), "prompt"))
        message = f"a prompt of {length:,} characters: {_answered(creation)}"
        if expected.kind == "reject" and expected.claims == ("GEN-16",):
            reading = f"{length:,} characters are taken" if taken else "A"
            yield reads("GEN-16", reading, message, creation.exchange)
        elif expected.kind != "accept" or "GEN-16" not in expected.claims:
            continue
        elif taken or _may_be_about(creation, "prompt"):
            reading = "A" if taken else f"{length:,} characters are refused"
            yield reads("GEN-16", reading, message, creation.exchange)


@judges("MOD-2")
def unknown_model(view: View) -> Iterator[Finding]:
    """A creation with a model that does not exist is a 404 or a 400 (MOD-2)."""
    listed = _listed_models(view)
    for creation in view.creations:
        expected = creation.expected
        if expected is None or expected.claims != ("MOD-2",) or expected.kind != "reject":
            continue
        wish, error = creation.wish, error_of(creation.exchange)
        if wish is None or not wish.model or wish.model in listed:
            continue
        if creation.status in (0, 401, 402, 403, 429) or creation.status >= 500:
            continue
        if CONTENT_CODES & {text_in(error, "code")} or (creation.accepted and not listed):
            continue
        if not creation.accepted and not _may_be_about(creation, "model"):
            continue
        code = text_in(error, "code")
        reading = {(404, _MODEL_NOT_FOUND): "A"}.get((creation.status, code))
        if reading is None:
            reading = "B" if creation.status == 400 else f"{creation.status} {code}".strip()
        message = f"the model {shown(wish.model)}: {_answered(creation)}"
        yield reads("MOD-2", reading, message, creation.exchange)


def _listed_models(view: View) -> set[str]:
    """The models that a list without ``q`` shows; none where no list was read."""
    found: set[str] = set()
    for exchange in view.calls("GET", MODELS):
        data = fields_of(answer_of(exchange)).get("data")
        for model in data if isinstance(data, list) else ():
            found.add(text_in(fields_of(model), "id"))
    return found or ({MODEL} if is_emulator(view) else set())

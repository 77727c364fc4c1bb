"""A small run that has everything that a report can show, for the reports' tests."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from contracts.claims import Claim, Reading
from contracts.exchange import CALLBACK, Exchange, Request, Response, Trace
from contracts.findings import Finding, Outcome
from contracts.images import image_facts
from contracts.run_report import RunReport, Spend
from contracts.verdict import ClaimVerdict, Judgement, Verdict

BASE_URL = "https://images.example.com"
LINK = f"{BASE_URL}/media/task_1/1.png?signature=~0123456789ab"
JSON = ("content-type", "application/json")


def claim(claim_id: str, section: str = "The task's life", **changes: Any) -> Claim:
    """A documented MUST, unless changed."""
    values: dict[str, Any] = {
        "claim": f"What `{claim_id}` says",
        "strength": "MUST",
        "level": "documented",
        "level_note": None,
        "sources": ("MP", "RD"),
        "evidence": "A task that was read after its end.",
        "checks": ("lives.something",),
        "paid": True,
        "needs": (),
        "witnesses": 1,
        "emulator": "the same",
        "setting": None,
    }
    return Claim(id=claim_id, section=section, **values | changes)


CLAIMS: tuple[Claim, ...] = (
    claim("AUTH-1", "Transport, authentication, errors", paid=False),
    claim("REQ-1", "Transport, authentication, errors", strength="SHOULD"),
    claim(
        "TASK-2",
        claim="The word for success",
        level="conflicting",
        readings={
            "A": Reading("`succeeded`", "model-page"),
            "B": Reading("`completed`", "reference"),
        },
    ),
    claim("TASK-5", claim="The body: `task_id`, `status`"),
    claim("MEDIA-1", witnesses=2),
    claim("UPL-1"),
    claim("CRED-1", "Credits"),
)


def png(width_px: int = 64, height_px: int = 48, colour: str = "#3a7ca5") -> bytes:
    """A picture."""
    file = io.BytesIO()
    Image.new("RGB", (width_px, height_px), colour).save(file, "PNG")
    return file.getvalue()


def exchange(
    number: int,
    request: Request,
    response: Response | None,
    **changes: Any,
) -> Exchange:
    """An exchange a second after the one before it."""
    failure = None if response else "the connection was closed"
    return replace(
        Exchange(number, 1_795_400_000.0 + number, 0.034, request, response, failure), **changes
    )


def answer(status: int, body: Any, *headers: tuple[str, str]) -> Response:
    """A JSON answer."""
    return Response(status, (JSON, *headers), json.dumps(body).encode())


def trace() -> Trace:
    """A creation, a read, a download, a refusal, a callback and a lost answer."""
    wish = {"model": "gpt-image-2", "prompt": "A lighthouse", "size": "4:3", "quality": "high"}
    key = ("authorization", "Bearer key-1")
    task = {
        "task_id": "task_1", "status": "succeeded", "completed_at": "2026-11-23T01:00:00Z",
        "result": {"created": 1, "data": [{"url": LINK}]},
    }  # fmt: skip
    made = {"task_id": "task_1", "status": "pending"}
    create = Request("POST", f"{BASE_URL}/v1/images/generations", (JSON, key), _bytes(wish))
    read = Request("GET", f"{BASE_URL}/v1/tasks/task_1", (key,))
    picture = Response(200, (("content-type", "image/png"),), b"", image_facts(png()))
    callback = Request("POST", "http://127.0.0.1:9000/hook", (JSON,), _bytes(task))
    balance = Request("GET", f"{BASE_URL}/v1/credits/balance")
    return Trace(
        BASE_URL,
        [
            exchange(1, create, answer(202, made), sender="key-1", purpose="a picture"),
            exchange(2, read, answer(200, task), sender="key-1"),
            exchange(3, Request("GET", LINK), picture),
            exchange(4, balance, answer(401, {"error": {"message": "no key"}})),
            exchange(5, callback, Response(200), direction=CALLBACK),
            exchange(6, balance, None),
        ],
    )


def verdict(
    claim_id: str,
    verdict: Verdict,
    reason: str = "",
    *findings: Finding,
    reading: str | None = None,
) -> ClaimVerdict:
    """A claim's verdict."""
    return ClaimVerdict(claim_id, verdict, reading, reason, len(findings), findings)


def finding(claim_id: str, outcome: Outcome, message: str = "", *exchanges: int) -> Finding:
    """A finding of a check."""
    reading = "A" if outcome is Outcome.READS else None
    return Finding(claim_id, outcome, message, exchanges, reading, "lives.something")


VERDICTS: tuple[ClaimVerdict, ...] = (
    verdict("AUTH-1", Verdict.PASS, "", finding("AUTH-1", Outcome.HOLDS, "", 4)),
    verdict(
        "REQ-1",
        Verdict.NON_STRICT,
        "200 without X-Request-Id",
        finding("REQ-1", Outcome.BREAKS, "200 without X-Request-Id", 2),
    ),
    verdict(
        "TASK-2",
        Verdict.OBSERVED,
        "reading A: `succeeded`",
        finding("TASK-2", Outcome.READS, "the word is succeeded", 2),
        reading="A",
    ),
    verdict(
        "TASK-5",
        Verdict.FAIL,
        "`model` is missing",
        finding("TASK-5", Outcome.BREAKS, "`model` is missing", 1, 2),
    ),
    verdict("MEDIA-1", Verdict.NOT_RUN, "no link was old enough"),
    verdict(
        "UPL-1",
        Verdict.UNSUPPORTED,
        "404 to POST /v1/images/upload",
        finding("UPL-1", Outcome.UNSUPPORTED, "404 to POST /v1/images/upload", 6),
    ),
    verdict("CRED-1", Verdict.ENGINE_ERROR, "credits.sums stopped: ZeroDivisionError"),
)


def run(verdicts: Sequence[ClaimVerdict] = VERDICTS, **changes: Any) -> RunReport:
    """A run with all verdicts, unless changed."""
    values: dict[str, Any] = {
        "run_id": "run-1",
        "version": "0.1.0",
        "target": BASE_URL,
        "target_kind": "other",
        "mode": "paid",
        "strict": False,
        "seed": 7,
        "started_at": 1_795_400_000.0,
        "finished_at": 1_795_400_095.5,
        "judgement": Judgement(tuple(verdicts), "model-page", {"model-page": 9, "reference": 1}),
        "spend": Spend(600, 240, 30, 270, 9, 1, 0),
        "trace": trace(),
        "notes": ("Links were not followed to their end.",),
        "stopped": None,
        "pending": ("MEDIA-1",),
    }
    return RunReport(**values | changes)


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()

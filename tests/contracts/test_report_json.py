import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.exchange import Request, Response, Trace
from contracts.findings import Outcome
from contracts.options import EXIT_FILE, EngineError
from contracts.report_json import load_report, schema, to_json
from contracts.verdict import Verdict
from tests.contracts.report_samples import (
    BASE_URL,
    CLAIMS,
    JSON,
    exchange,
    finding,
    run,
    trace,
    verdict,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def written(**changes: Any) -> dict[str, Any]:
    """What a reader of the file gets."""
    values: dict[str, Any] = json.loads(json.dumps(to_json(run(**changes), CLAIMS)))
    VALIDATOR.validate(values)
    return values


def claim_of(report: dict[str, Any], claim_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in report["claims"] if c["id"] == claim_id)
    return found


def test_the_documented_schema_is_that_of_the_code() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert schema() == SCHEMA, "python -m contracts.report_json > docs/report.schema.json"


def test_the_run_its_cost_and_its_totals() -> None:
    report = written(stopped="the limit was reached")
    assert report["run"] == {
        "id": "run-1",
        "target": BASE_URL,
        "target_kind": "other",
        "mode": "paid",
        "strict": False,
        "seed": 7,
        "started_at": "2026-11-23T02:13:20Z",
        "finished_at": "2026-11-23T02:14:55.500000Z",
        "profile": "model-page",
        "profile_votes": {"model-page": 9, "reference": 1},
        "exchanges": 6,
        "stopped": "the limit was reached",
        "notes": ["Links were not followed to their end."],
        "pending": ["MEDIA-1"],
    }
    assert report["spend"]["spent_credits"] == 240
    assert report["totals"] == {verdict.value: 1 for verdict in Verdict}


def test_a_claim_tells_what_its_verdict_rests_on() -> None:
    report = written()
    success = claim_of(report, "TASK-2")
    assert success["readings"]["B"] == {"says": "`completed`", "profile": "reference"}
    assert (success["verdict"], success["reading"], success["reading_says"]) == (
        "observed",
        "A",
        "`succeeded`",
    )
    failed = claim_of(report, "TASK-5")
    assert failed["findings"] == [
        {
            "check": "lives.something",
            "outcome": "breaks",
            "reading": None,
            "message": "`model` is missing",
            "exchanges": [1, 2],
        }
    ]
    media = claim_of(report, "MEDIA-1")
    assert (media["witnesses"], media["witnesses_needed"]) == (0, 2)


def test_only_exchanges_that_findings_refer_to_are_written() -> None:
    report = written()
    assert [e["number"] for e in report["exchanges"]] == [1, 2, 4, 6]
    created = report["exchanges"][0]
    assert created["request"]["url"] == f"{BASE_URL}/v1/images/generations"
    assert json.loads(created["request"]["body"]["text"])["prompt"] == "A lighthouse"
    assert created["answer"]["status"] == 202
    lost = report["exchanges"][-1]
    assert (lost["answer"], lost["failure"]) == (None, "the connection was closed")


def shown(request: Request, response: Response | None = None) -> dict[str, Any]:
    """How one exchange is written."""
    found = [verdict("TASK-5", Verdict.FAIL, "", finding("TASK-5", Outcome.BREAKS, "", 1))]
    only = Trace(BASE_URL, [exchange(1, request, response or Response(200))])
    report = written(verdicts=found, trace=only)
    entry: dict[str, Any] = report["exchanges"][0]
    return entry


def test_a_long_body_is_cut_and_its_size_told() -> None:
    words = b"lighthouse " * 100_000
    body = shown(Request("POST", BASE_URL, (JSON,), words))["request"]["body"]
    assert body["size_bytes"] == len(words)
    assert body["is_cut"]
    assert body["text"] == words[:4096].decode()


def test_a_long_unbroken_run_is_shortened_so_that_what_follows_is_seen() -> None:
    sent = {"images": ["data:image/png;base64," + "A" * 1_000_000], "size": "1:1"}
    body = shown(Request("POST", BASE_URL, (JSON,), json.dumps(sent).encode()))["request"]["body"]
    assert body["is_cut"]
    assert "more characters)" in body["text"]
    assert body["text"].endswith('"size": "1:1"}')


@pytest.mark.parametrize("content", [b"\x89PNG\x00\xff", b"a\x00b"])
def test_binary_bodies_are_only_counted(content: bytes) -> None:
    body = shown(Request("POST", BASE_URL, (), content))["request"]["body"]
    assert body == {"size_bytes": len(content), "text": None, "is_cut": False, "parts": []}


def test_forms_are_told_by_their_parts() -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nA boat\r\n'
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n"
    )
    headers = (("content-type", "multipart/form-data; boundary=x"),)
    parts = shown(Request("POST", BASE_URL, headers, form))["request"]["body"]["parts"]
    assert [(p["name"], p["filename"], p["size_bytes"], p["text"]) for p in parts] == [
        ("prompt", None, 6, "A boat"),
        ("image", "a.png", 4, None),
    ]


def test_a_picture_is_told_by_what_decoding_gave() -> None:
    found = [verdict("TASK-5", Verdict.FAIL, "", finding("TASK-5", Outcome.BREAKS, "", 3))]
    picture = written(verdicts=found)["exchanges"][0]["answer"]["picture"]
    assert (picture["format"], picture["width_px"], picture["height_px"]) == ("PNG", 64, 48)
    assert len(picture["pixels_digest"]) == 64


def test_what_slipped_through_the_recorder_is_redacted_here() -> None:
    secret = "sk-live-0123456789abcdef0123"
    signed = f"{BASE_URL}/media/1.png?signature=0123456789abcdef0123456789abcdef"
    entry = shown(
        Request("POST", signed, (("X-Api-Key", secret), ("Cookie", "a=b")), secret.encode()),
        Response(200, (("Location", signed),), json.dumps({"url": signed}).encode()),
    )
    text = json.dumps(entry)
    assert secret not in text
    assert "0123456789abcdef0123456789abcdef" not in text
    assert entry["request"]["headers"] == [["X-Api-Key", "key-1"], ["Cookie", "(hidden)"]]


def test_control_characters_become_escapes() -> None:
    hostile = "a\x1b[31m\u202eb\ud800\x07"
    found = [verdict("TASK-5", Verdict.FAIL, f"{hostile}\nnext")]
    report = written(verdicts=found, notes=(hostile,))
    assert report["run"]["notes"] == ["a\\x1b[31m\\u202eb\\ud800\\x07"]
    assert claim_of(report, "TASK-5")["reason"] == "a\\x1b[31m\\u202eb\\ud800\\x07 next"


def test_times_outside_of_the_calendar_do_not_stop_a_report() -> None:
    late = trace()
    late.exchanges[0] = exchange(1, late[1].request, None, sent_at=1e18, seconds=-1.0)
    report = written(trace=late)
    assert report["exchanges"][0]["sent_at"].startswith("9999-12-31")
    assert report["exchanges"][0]["duration_seconds"] == 0


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(to_json(run(), CLAIMS)))
    loaded = load_report(path)
    assert loaded.name == str(path)
    assert loaded.report.model_dump(mode="json") == to_json(run(), CLAIMS)


def _changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    values = to_json(run(), CLAIMS)
    change(values)
    return json.dumps(values).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "is no report of this kit: it is no JSON ("),
        (b"[" * 100_000, "it is no JSON ("),
        (b"\xff\xfe", "it is no JSON ("),
        (b"[]", 'it is no JSON object with "format": "gpt-image-contracts/report"'),
        (b'{"log": {"entries": []}}', 'it is no JSON object with "format"'),
        (_changed(lambda r: r.update(schema_version=2)), "schema_version is 2; this kit reads 1"),
        (_changed(lambda r: r.update(schema_version=True)), "its schema_version is true"),
        (_changed(lambda r: r.pop("spend")), "spend: Field required"),
        (
            _changed(lambda r: r["claims"][3].update(verdict="great")),
            "claims.3.verdict: Input should be 'pass', 'fail'",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_report_is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(EngineError) as caught:
        load_report(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == EXIT_FILE


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"No such file or directory; the report\.json of a run"):
        load_report(tmp_path / "nothing.json")
    with pytest.raises(EngineError, match="Is a directory"):
        load_report(tmp_path)


def test_members_of_a_later_kit_are_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(_changed(lambda r: r.update(more=1)))
    assert load_report(path).report.run.id == "run-1"

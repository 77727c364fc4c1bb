"""A snapshot file, strictly: nothing that it brings may break anything later."""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
)

from emulator.core.address import split_http_url
from emulator.core.clock import LATEST_INSTANT
from emulator.core.fault_catalogue import FAILURES
from emulator.core.frame import DRAWN_EDGE_PX, SIZES, TIERS, parse_pixel_size
from emulator.core.request import MAX_IMAGES, MAX_REFERENCE_IMAGES, MODEL

_MOST = 10**15


def _one_of(*accepted: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in accepted:
            raise ValueError(f"one of {', '.join(accepted)} is accepted")
        return value

    return AfterValidator(check)


def _size(value: str) -> str:
    if value not in SIZES and parse_pixel_size(value) is None:
        raise ValueError(f"one of {', '.join(SIZES)}, or WIDTHxHEIGHT is accepted")
    return value


def _http_url(value: str) -> str:
    if split_http_url(value) is None:
        raise ValueError("an absolute http(s) URL is accepted")
    return value


def _base64(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise ValueError("base64 is accepted") from error


Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Number = Annotated[int, Field(ge=1, le=_MOST)]
Signed = Annotated[int, Field(ge=-_MOST, le=_MOST)]
Instant = Annotated[int, Field(ge=0, le=LATEST_INSTANT)]
Name = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9._/-]*$")]
TaskId = Annotated[str, Field(pattern=r"^task_[0-9a-f]{24}$")]
UploadId = Annotated[str, Field(pattern=r"^file_[0-9a-f]{24}$")]
DeliveryId = Annotated[str, Field(pattern=r"^msg_[0-9a-f]{24}$")]
InboxName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
ShortText = Annotated[str, Field(max_length=10_000)]
Url = Annotated[ShortText, AfterValidator(_http_url)]
Status = Annotated[int, Field(ge=0, le=599)]
DrawnEdge = Annotated[int, Field(ge=DRAWN_EDGE_PX[0], le=DRAWN_EDGE_PX[1])]
Flag = Annotated[int, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Clock(_Part):
    now: Instant
    frozen: bool


class _Credits(_Part):
    granted: Count
    available: Count
    reserved: Count
    charged: Count


class _Counters(_Part):
    tasks_created: Annotated[int, Field(ge=0, le=10**12)]
    uploads_created: Annotated[int, Field(ge=0, le=100_000)]
    faults_created: Count
    journal_entries: Count


class _Account(_Part):
    seed: Seed
    id_seed: Seed
    clock: _Clock
    credits: _Credits
    counters: _Counters


class _Reference(_Part):
    source: Annotated[str, Field(max_length=10_000)]
    upload_id: UploadId | None


class _Request(_Part):
    model: Annotated[str, _one_of(MODEL)]
    prompt: Annotated[str, Field(min_length=1)]
    size: Annotated[str, Field(max_length=20), AfterValidator(_size)]
    resolution: Annotated[str, _one_of(*TIERS)]
    quality: Annotated[str, _one_of("low", "medium", "high", "auto")]
    n: Annotated[int, Field(ge=1, le=MAX_IMAGES)]
    callback_url: Url | None
    references: Annotated[list[_Reference], Field(max_length=MAX_REFERENCE_IMAGES)]
    mask: _Reference | None


class _Task(_Part):
    id: TaskId
    number: Number
    seed: Seed
    width_px: DrawnEdge
    height_px: DrawnEdge
    created_at: Instant
    starts_at: Instant
    ends_at: Instant
    images: Annotated[int, Field(ge=0, le=MAX_IMAGES)]
    error_code: Annotated[str, _one_of(*FAILURES)] | None
    reserved: Count
    charge: Count
    settled: Flag
    request: _Request

    def problem(self) -> str | None:
        """What of it contradicts itself."""
        if not self.created_at <= self.starts_at <= self.ends_at:
            return "it must be created_at <= starts_at <= ends_at"
        if self.images > (0 if self.error_code else self.request.n):
            return "it has more images than were asked for, or it fails and has images"
        if self.charge > (0 if self.error_code else self.reserved):
            return "it charges more than was reserved, or it fails and charges"
        return None


class _LedgerEntry(_Part):
    number: Number
    kind: Name
    task_id: TaskId | None
    granted: Signed
    available: Signed
    reserved: Signed
    charged: Signed
    available_after: Count
    at: Instant


class _Delivery(_Part):
    id: DeliveryId
    task_id: TaskId
    url: Url
    state: Literal["pending", "delivered", "exhausted", "refused", "dropped"]
    attempts_made: Annotated[int, Field(ge=0, le=10**6)]
    due_at: Instant | None
    created_at: Instant
    copies_left: Annotated[int, Field(ge=0, le=100)]
    held: Flag

    def problem(self) -> str | None:
        """What of it contradicts itself."""
        if self.due_at is not None and self.state != "pending" and not self.copies_left:
            return f"it is {self.state}, and has a next attempt"
        if self.due_at is None and self.state == "pending" and not self.held:
            return "it is pending, and has no next attempt"
        return None


class _Attempt(_Part):
    delivery_id: DeliveryId
    number: Number
    at: Instant
    status: Status | None
    duration_ms: Count
    answer: str
    error: str | None


class _Upload(_Part):
    id: UploadId
    media_type: Annotated[str, _one_of("image/png", "image/jpeg", "image/webp")]
    content: Annotated[bytes, BeforeValidator(_base64)]
    created_at: Instant


class _Fault(_Part):
    number: Number
    spec: dict[str, JsonValue]
    directive: ShortText | None
    times: Count | None
    seen: Count
    hits: Count


class _SentNotes(_Part):
    content_type: ShortText | None
    user_agent: ShortText | None
    cut: bool


class _AnswerNotes(_Part):
    content_type: ShortText | None
    bytes: Count
    cut: bool


class _RefusalNotes(_Part):
    code: Name
    param: str | None
    claim: Name | None
    message: str


class _JournalNotes(_Part):
    request: _SentNotes
    answer: _AnswerNotes
    refusal: _RefusalNotes | None
    faults: list[Name]


class _JournalEntry(_Part):
    number: Number
    at: Instant
    operation: Name
    method: ShortText
    path: str
    status: Status
    duration_ms: Count
    request_id: Name
    task_id: ShortText | None
    request: str
    answer: str
    notes: _JournalNotes


class _InboxAnswer(_Part):
    status: Annotated[int, Field(ge=100, le=599)] = 200
    delay_seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    body: Annotated[str, Field(max_length=65_536)] = ""


class _InboxPlan(_Part):
    answers: Annotated[list[_InboxAnswer], Field(min_length=1, max_length=100)]
    after: Count


class _Inbox(_Part):
    name: InboxName
    answers: _InboxPlan
    messages_received: Count

    def problem(self) -> str | None:
        """What of it contradicts itself."""
        return (
            "its plan is younger than it" if self.answers.after > self.messages_received else None
        )


class _Message(_Part):
    inbox: InboxName
    number: Number
    at: Instant
    delivery_id: ShortText | None
    headers: dict[str, str]
    body: str
    signature: ShortText
    status: Status | None


class SnapshotFile(_Part):
    """The whole file."""

    format: str
    version: int
    emulator: ShortText
    exported_at: ShortText
    settings: Annotated[dict[ShortText, ShortText], Field(max_length=100)]
    account: _Account
    tasks: list[_Task]
    ledger: list[_LedgerEntry]
    deliveries: list[_Delivery]
    attempts: list[_Attempt]
    uploads: list[_Upload]
    faults: list[_Fault]
    journal: list[_JournalEntry]
    inboxes: list[_Inbox]
    inbox_messages: list[_Message]

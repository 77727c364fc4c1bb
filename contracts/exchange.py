"""What went over the wire: the only thing that judges look at."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

API_PATH = re.compile(r"/v1/(images|tasks|credits|models)(/|$)")

Headers = tuple[tuple[str, str], ...]
Direction = Literal["sent", "callback"]
SENT: Direction = "sent"
CALLBACK: Direction = "callback"


def header(headers: Headers, name: str) -> str | None:
    """The value of a header, whatever its case; None where there is none."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


def media_type(headers: Headers) -> str:
    """The media type without its parameters, in lower case; empty where none is given."""
    return (header(headers, "content-type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What decoding a body completely told.

    Attributes:
        format: ``PNG``, ``JPEG`` or ``WEBP``; another word for what is none of these.
        width_px: decoded width.
        height_px: decoded height.
        pixels_digest: SHA-256 of the decoded RGBA pixels, in hexadecimal.
        problem: why it could not be decoded; None where it could. The rest is then 0 or empty.
        thumbnail: a small JPEG of it, for reports.
    """

    format: str
    width_px: int
    height_px: int
    pixels_digest: str
    problem: str | None = None
    thumbnail: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True)
class Request:
    """A request, without its secrets.

    Attributes:
        method: in capitals.
        url: absolute.
        headers: as sent; keys are replaced by labels.
        body: as sent.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path from ``/v1`` on, without ``/api`` (BASE-1) or a gateway's prefix before it."""
        path = split_url(self.url).path
        found = API_PATH.search(path)
        return path[found.start() :] if found else path.removeprefix("/api")

    @cached_property
    def json(self) -> Any:
        """The parsed body; None where it is no JSON."""
        return parsed_json(self.body)

    @cached_property
    def parts(self) -> tuple["Part", ...]:
        """The parts of a multipart body; empty where it is none."""
        return multipart_parts(header(self.headers, "content-type") or "", self.body)


@dataclass(frozen=True)
class Response:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: as received.
        body: as received; empty where only ``image`` was kept of it.
        image: facts about a body that is an image.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    image: ImageFacts | None = None

    @cached_property
    def json(self) -> Any:
        """The parsed body; None where it is no JSON."""
        return parsed_json(self.body)


@dataclass(frozen=True)
class Exchange:
    """One request and what came back.

    Attributes:
        number: its place in the trace, from 1; what a finding refers to.
        sent_at: Unix seconds on the target's own clock, as far as the kit knows it.
        seconds: how long it took, in real seconds.
        request: what was sent.
        response: what came back; None where nothing did.
        failure: why nothing came back; None where something did.
        direction: ``sent``: the kit asked the target; ``callback``: the target called the kit.
        sender: a label for the key that was used (``key-1``); empty where there was none.
        purpose: why it was sent, for people; judges don't read it.
        late_by_seconds: how much earlier than ``sent_at`` it may have happened, where the kit can't
            tell: a callback that came while time was being moved.
    """

    number: int
    sent_at: float
    seconds: float
    request: Request
    response: Response | None
    failure: str | None = None
    direction: Direction = SENT
    sender: str = ""
    purpose: str = ""
    late_by_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart body."""

    name: str
    filename: str | None
    media_type: str
    content: bytes


@dataclass
class Trace:
    """Everything that was exchanged with a target, in the order in which it was sent.

    Attributes:
        base_url: scheme, host and prefix before ``/v1``.
        exchanges: in order; an exchange's ``number`` is its index plus one.
        exclusive: nobody else used the account meanwhile, so balances can be added up.
        facts: what else the kit knew about the target, for judges and reports
            (``target``: ``emulator`` or ``other``, ``time_control``: bool, ...).
    """

    base_url: str
    exchanges: list[Exchange] = field(default_factory=list)
    exclusive: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def __getitem__(self, number: int) -> Exchange:
        """The exchange with a number."""
        return self.exchanges[number - 1]


def split_url(url: str) -> SplitResult:
    """The parts of a URL; all empty where it can't be read."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def without_fragment(url: str) -> str:
    """A URL as it is asked for."""
    return url.partition("#")[0]


def parsed_json(body: bytes) -> Any:
    """Parse JSON; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def fields_of(value: Any) -> Mapping[str, Any]:
    """A JSON object's members; none where it is no object."""
    return value if isinstance(value, dict) else {}


def multipart_parts(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Split a multipart body into its parts.

    Args:
        content_type: the header, with the boundary.
        body: the whole body.
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/form-data" or not boundary:
        return ()
    parts = []
    for chunk in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))[1:]:
        head, separator, content = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator or chunk.startswith(b"--"):
            continue
        described = Message()
        for line in head.decode("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            described[name.strip()] = value.strip()
        field_name = described.get_param("name", "", "content-disposition")
        parts.append(
            Part(str(field_name), described.get_filename(), described.get_content_type(), content)
        )
    return tuple(parts)

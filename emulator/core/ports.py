"""What the use cases need from the outside."""

from typing import NamedTuple, Protocol

from emulator.core.callback import AttemptResult
from emulator.core.picture import Picture


class RealClock(Protocol):
    """The machine's clock."""

    def now(self) -> int:
        """Return the real instant, in milliseconds since the Unix epoch."""


class Entropy(Protocol):
    """Where unpredictable ids and secrets come from."""

    def request_id(self) -> str:
        """Make ``req_`` and 24 hexadecimal digits that no other request has."""

    def token(self) -> str:
        """Make 48 hexadecimal digits that nobody can guess."""


class Pause(Protocol):
    """Lets real time pass."""

    async def __call__(self, seconds: float) -> None:
        """Return after so many seconds, or at once where the server stops."""


class Sender(Protocol):
    """Delivers callbacks."""

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> AttemptResult:
        """POST ``body`` to ``url`` and say what came of it; never raises."""

    async def close(self) -> None:
        """Let go of all connections."""


class Fetcher(Protocol):
    """Fetches reference images."""

    async def fetch(self, url: str, param: str) -> bytes:
        """GET ``url``; raises ``Refusal`` where it is forbidden, too large, slow or broken."""

    async def close(self) -> None:
        """Let go of all connections."""


class Renderer(Protocol):
    """Draws pictures."""

    def render(self, picture: Picture) -> bytes:
        """Draw a picture as PNG bytes; called in a worker thread."""


class ImageFacts(NamedTuple):
    """What an uploaded image is."""

    media_type: str
    width_px: int
    height_px: int


class Inspector(Protocol):
    """Looks at images that clients send."""

    def inspect(self, content: bytes, param: str) -> ImageFacts:
        """Decode an image; raises ``Refusal``, naming ``param``, where it can't be used."""

"""What a trace shows: creations, reads of tasks, downloads, attempts at callbacks."""

from dataclasses import dataclass, field

from emulator.core.frame import Frame
from emulator.core.profile import SUCCESS_STATUSES
from emulator.core.task import Status


@dataclass(frozen=True, slots=True)
class Asked:
    """What a creation asked for; ``quality`` is None where it was not sent."""

    size: str
    tier: str
    quality: str | None
    n: int


@dataclass(frozen=True, slots=True)
class Creation:
    """A creation that was accepted.

    Attributes:
        asked: None where the emulator would not understand it.
        task_id: empty where the answer was the images.
        status: the first status; empty as above.
        names_model: whether the answer carries ``model``.
        reserved: credits, or None.
        waited_ms: how long a call that waits took until it had the images, or None.
    """

    asked: Asked | None
    task_id: str
    status: str
    names_model: bool
    reserved: int | None
    waited_ms: float | None


@dataclass(frozen=True, slots=True)
class Read:
    """A task as it was read, or reported by a callback.

    Attributes:
        at: when, or None.
        created_at, completed_at: what it says, or None.
        has_result: whether there are images in it.
        error_code: of a failure; empty where there is none.
        reserved: credits, or None.
    """

    task_id: str
    at: int | None
    status: str
    created_at: int | None
    completed_at: int | None
    has_result: bool
    error_code: str
    reserved: int | None

    @property
    def succeeded(self) -> bool:
        """Whether it says so, in one of the documents' words or with images under another."""
        if self.status in SUCCESS_STATUSES:
            return True
        return self.has_result and self.status not in set(Status)


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an image.

    Attributes:
        task_id: empty where it came without a task.
        asked: by the creation, or None.
        ended_at: when its images were there, or None.
        dies_at: what the link itself says, or None.
        lives_ms: the same as a duration, or None.
    """

    task_id: str
    asked: Asked | None
    ended_at: int | None
    dies_at: int | None
    lives_ms: int | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request to a link."""

    link: Link
    at: int | None
    status: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A callback that arrived, and what it was answered."""

    task_id: str
    at: int | None
    status: int
    ended_at: int | None


@dataclass
class Observed:
    """All that a trace shows.

    Attributes:
        clock_moved: whether the recorder moved the target's clock.
        refused: creations that were refused though they keep every rule of the reference profile.
        not_understood: accepted creations whose size, quality or n no profile takes.
        pictures: what was asked, and the pixels that came.
        links: by URL.
    """

    clock_moved: bool = False
    creations: list[Creation] = field(default_factory=list)
    refused: list[Asked] = field(default_factory=list)
    not_understood: int = 0
    reads: list[Read] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    pictures: list[tuple[Asked, Frame]] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)

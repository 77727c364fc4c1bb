"""The two published dialects of the upstream, as data."""

from typing import NamedTuple

QUALITIES = ("low", "medium", "high")
FIRST_STATUSES = ("pending", "processing")  # GEN-14
SUCCESS_STATUSES = ("succeeded", "completed")  # TASK-2


class Profile(NamedTuple):
    """What differs where the upstream's own documents disagree.

    Attributes:
        name: the value of ``--profile``.
        succeeded: the word for success.
        first_status: the status in the creation answer; also where a task's life begins.
        qualities: accepted values of ``quality``.
        default_quality: what a request without ``quality`` gets.
        maps_sizes: True: any size maps to the nearest of seven outputs; False: the size is
            the frame, and one outside the model's limits is refused.
        shows_expired: True: a task whose media lapsed reads ``expired`` and has no result.
        names_model: True: the creation answer carries ``model``.
    """

    name: str
    succeeded: str
    first_status: str
    qualities: tuple[str, ...]
    default_quality: str
    maps_sizes: bool
    shows_expired: bool
    names_model: bool


MODEL_PAGE = Profile(
    name="model-page",
    succeeded="succeeded",  # TASK-2
    first_status="pending",  # GEN-14
    qualities=QUALITIES,  # GEN-9
    default_quality="medium",
    maps_sizes=False,  # GEN-4, GEN-6
    shows_expired=False,  # TASK-8
    names_model=False,  # GEN-13
)
REFERENCE = Profile(
    name="reference",
    succeeded="completed",
    first_status="processing",
    qualities=("auto", *QUALITIES),
    default_quality="auto",
    maps_sizes=True,
    shows_expired=True,
    names_model=True,
)


def with_words(
    profile: Profile, first_status: str | None = None, succeeded: str | None = None
) -> Profile:
    """A profile that says a status otherwise; None leaves its own word."""
    return profile._replace(
        first_status=first_status or profile.first_status,
        succeeded=succeeded or profile.succeeded,
    )


PROFILES = {profile.name: profile for profile in (MODEL_PAGE, REFERENCE)}

"""What a mutant is: one bug, the claim that it breaks, and the proof that it shows."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from tests.contracts.mutants.probe import Probe

Profile = Literal["model-page", "reference"]
Patch = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug in the emulator.

    Attributes:
        name: unique among all mutants.
        claim: the id of the claim that it breaks.
        says: one sentence for people: what goes wrong.
        apply: puts the bug in for as long as its context lasts; a server has to be started and
            stopped inside it.
        symptom: whether the bug shows to a client of the server.
        profile: the profile whose server has the bug.
    """

    name: str
    claim: str
    says: str
    apply: Patch
    symptom: Callable[[Probe], bool]
    profile: Profile = "model-page"

"""Bugs to put into the emulator, each bound to the claim that it breaks."""

from dataclasses import replace

from emulator import compose
from tests.contracts.mutants import (
    authentication,
    callbacks,
    catalogue,
    credits,
    errors,
    fields,
    lifecycle,
    media,
    outcomes,
    pixels,
    prices,
    validation,
)
from tests.contracts.mutants.mutant import Mutant
from tests.contracts.mutants.patches import swap, together

_KINDS: dict[str, tuple[Mutant, ...]] = {
    "fields": fields.MUTANTS,
    "validation": validation.MUTANTS,
    "authentication": authentication.MUTANTS,
    "pixels": pixels.MUTANTS,
    "lifecycle": lifecycle.MUTANTS,
    "outcomes": outcomes.MUTANTS,
    "prices": prices.MUTANTS,
    "credits": credits.MUTANTS,
    "media": media.MUTANTS,
    "callbacks": callbacks.MUTANTS,
    "errors": errors.MUTANTS,
    "catalogue": catalogue.MUTANTS,
}
# Bugs are put into the application; plain calls would be answered without it.
_THROUGH_THE_APPLICATION = swap(compose, "plain_calls_of", lambda *_: None)
KINDS = {
    kind: tuple(
        replace(mutant, apply=together(_THROUGH_THE_APPLICATION, mutant.apply))
        for mutant in mutants
    )
    for kind, mutants in _KINDS.items()
}
MUTANTS: tuple[Mutant, ...] = tuple(mutant for mutants in KINDS.values() for mutant in mutants)

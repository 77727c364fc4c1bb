"""Bugs to put into the emulator, each bound to the claim that it breaks."""

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

KINDS: dict[str, tuple[Mutant, ...]] = {
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
MUTANTS: tuple[Mutant, ...] = tuple(mutant for mutants in KINDS.values() for mutant in mutants)

"""The catalogue of claims, as much of it as the pages show."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emulator.ui.yaml_file import load_yaml

_PATH = Path(__file__).parents[2] / "contracts" / "claims.yaml"  # in the same wheel, or checkout


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that is claimed about the upstream.

    Attributes:
        id: such as ``GEN-2``.
        text: what is claimed; Markdown.
        level: documented, conflicting or assumed.
        sources: short names of the documents that say it; may be empty.
    """

    id: str
    text: str
    level: str
    sources: tuple[str, ...]

    @property
    def sure(self) -> str:
        """How sure it is, and who says so."""
        return f"{self.level}, {' '.join(self.sources)}" if self.sources else self.level


@cache
def claims() -> dict[str, Claim]:
    """All claims by id, in the order of the catalogue."""
    return {
        entry["id"]: Claim(
            entry["id"], entry["claim"], entry["level"], tuple(map(str, entry["sources"]))
        )
        for entry in load_yaml(_PATH)["claims"]
    }

"""Writes docs/fidelity.md from the catalogue of claims."""

import re
from pathlib import Path

from contracts.claims import Claim, load_claims

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fidelity.md"
_TEMPLATE = Path(__file__).with_suffix(".md")
_PLACE = re.compile(r"^## (.+)\n\n<!-- claims -->$", re.MULTILINE)
_HEAD = "| id | claim | level | the emulator | setting |\n|---|---|---|---|---|"


def page() -> str:
    """The whole page: the template, with a table in each section that has claims.

    Raises:
        ValueError: the template's sections are not those of the claims.
    """
    template = _TEMPLATE.read_text("utf-8")
    sections = list(dict.fromkeys(claim.section for claim in load_claims()))
    places = _PLACE.findall(template)
    if places != sections:
        raise ValueError(f"{_TEMPLATE.name} has tables for {places}; the claims are in {sections}")
    return _PLACE.sub(lambda found: f"## {found[1]}\n\n{_table(found[1])}", template)


def _table(section: str) -> str:
    return "\n".join([_HEAD, *(_row(claim) for claim in load_claims() if claim.section == section)])


def _row(claim: Claim) -> str:
    level = "; ".join(filter(None, (claim.level, claim.level_note)))
    cells = (claim.id, claim.claim, level, claim.emulator, claim.setting or "")
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells).rstrip(" ") + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""Prints the tables of docs/faults.md from the catalogue."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emulator.core.fault import CRITERIA
from emulator.core.fault_catalogue import FAULTS


def fault_rows() -> list[str]:
    """One row a fault."""
    rows = []
    for name, kind in FAULTS.items():
        takes = "; ".join(
            f"`{key}`: {parameter.accepted}"
            + ("" if parameter.default is None else f" ({parameter.default})")
            for key, parameter in kind.parameters.items()
        )
        rows.append(f"| `{name}` | {kind.help} | {takes} |")
    return rows


def criterion_rows() -> list[str]:
    """One row a criterion."""
    return [f"| `{name}` | {accepted} |" for name, accepted in CRITERIA.items()]


if __name__ == "__main__":
    print("\n".join([*criterion_rows(), "", *fault_rows()]))

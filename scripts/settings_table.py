"""Write the table of docs/settings.md from the settings themselves.

Usage: python scripts/settings_table.py
"""

from pathlib import Path

from emulator.settings import SETTINGS

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = "| flag | default | what it does |\n|---|---|---|\n"


def main() -> None:
    """Replace the page's table."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(HEAD)
    after = rest[rest.index("\n\n") :]
    rows = [f"| `{info.flag}` | {info.default} | {info.help} |" for info in SETTINGS]
    rows.append("| `--settings` | none | a settings file |")
    PAGE.write_text(before + HEAD + "\n".join(rows) + after, "utf-8")


if __name__ == "__main__":
    main()

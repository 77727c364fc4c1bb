"""Build the bundled fonts from the openly licensed ones they are subsets of.

Needs fonttools, and a folder that holds, unpacked and at any depth:

- from the npm packages ``@expo-google-fonts/inter``, ``noto-sans-hebrew``,
  ``noto-sans-arabic`` and ``noto-emoji``: the folder ``500Medium`` and ``LICENSE_FONT``;
- from the Debian packages ``fonts-droid-fallback`` and ``fonts-dejavu-core``: their
  ``usr/share`` folder;
- from the Debian package ``base-files``: ``Apache-2.0``, the text of the licence of that name.

Run: ``python scripts/build_fonts.py FOLDER emulator/adapters/picture/fonts``

Each font keeps only characters that no font before it in the chain has. Ligatures of the
emoji font (families, flags, keycaps) get private-use characters, because the renderer draws
without a layout engine. What was kept is written to ``coverage.json``.
"""

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

# A tool for whoever changes the fonts, and no dependency: imported so that types need it not.
subset: Any = import_module("fontTools.subset")
tables: Any = import_module("fontTools.ttLib")
programs: Any = import_module("fontTools.ttLib.tables.ttProgram")

SEQUENCES_START = 0xF0000
SKIN_TONES = range(0x1F3FB, 0x1F400)
TEXT_PRESENTATION = range(0xFE00, 0xFE10)
# A control program of over seven bytes keeps FreeType from hinting the outlines by itself, so
# that glyphs keep their shapes and can be placed at fractions of a pixel.
UNHINTED = bytes([0xB8, 0x01, 0xFF, 0x85, 0xB0, 0x04, 0x8D, 0xB0, 0x00, 0x21])


@dataclass(frozen=True)
class Source:
    """A font to build.

    Attributes:
        name: the built file's stem.
        file: the source file's name, anywhere in the folder.
        license_file: path of its license text, from the source's folder.
        blocks: Unicode blocks to keep, first and last character; all when empty.
    """

    name: str
    file: str
    license_file: str
    blocks: tuple[tuple[int, int], ...] = ()


SOURCES = (
    Source("inter", "Inter_500Medium.ttf", "../LICENSE_FONT", ((0x20, 0x2BFF), (0xFB00, 0xFB06))),
    Source("noto-sans-hebrew", "NotoSansHebrew_500Medium.ttf", "../LICENSE_FONT",
           ((0x590, 0x5FF), (0xFB1D, 0xFB4F))),
    Source("noto-sans-arabic", "NotoSansArabic_500Medium.ttf", "../LICENSE_FONT",
           ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE))),
    Source("noto-emoji", "NotoEmoji_500Medium.ttf", "../LICENSE_FONT"),
    Source("droid-sans-fallback", "DroidSansFallback.ttf",
           "../../doc/fonts-droid-fallback/copyright",
           ((0x2E80, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))),
    Source("dejavu-sans", "DejaVuSans.ttf", "../../../doc/fonts-dejavu-core/copyright"),
)  # fmt: skip


def find(folder: Path, name: str) -> Path:
    """Find the one file of a name in the folder."""
    found = sorted(folder.rglob(name))
    if not found:
        raise SystemExit(f"{name} is not in {folder}")
    return found[0]


def drawable(code: int) -> bool:
    """Whether a character is for a glyph to show: assigned, not private, not a control."""
    return unicodedata.category(chr(code)) not in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def wanted(source: Source, font: Any, taken: set[int]) -> set[int]:
    """Characters that the built font is to have."""
    blocks = source.blocks or ((0x20, 0xEFFFF),)
    return {
        code
        for code in font.getBestCmap()
        if code not in taken
        and drawable(code)
        and any(first <= code <= last for first, last in blocks)
    }


def ligatures(font: Any) -> Iterator[tuple[list[str], str]]:
    """Yield every ligature of a font: its glyphs, and the glyph that replaces them."""
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, entries in getattr(table, "ligatures", {}).items():
                for entry in entries:
                    yield [first, *entry.Component], entry.LigGlyph


def add_sequences(font: Any) -> dict[str, str]:
    """Give each ligature of an emoji font a private-use character.

    Returns:
        Emoji sequence, without variation selectors and skin tones -> private-use character.
    """
    cmap = font.getBestCmap()
    codes: dict[str, int] = {}
    for code, glyph in sorted(cmap.items()):
        codes.setdefault(glyph, code)
    private: dict[str, int] = {}
    sequences: dict[str, str] = {}
    for glyphs, result in ligatures(font):
        sequence = [codes.get(glyph, -1) for glyph in glyphs]
        sequence = [code for code in sequence if code not in TEXT_PRESENTATION]
        if -1 in sequence or any(code in SKIN_TONES for code in sequence) or sequence[0] > 0x1FFFF:
            continue
        code = codes.get(result) or private.setdefault(result, SEQUENCES_START + len(private))
        sequences["".join(map(chr, sequence))] = chr(code)
    for table in font["cmap"].tables:
        if table.format == 12:
            table.cmap.update({code: glyph for glyph, code in private.items()})
    return dict(sorted(sequences.items()))


def ranges(codes: set[int]) -> list[list[int]]:
    """Turn characters into sorted ranges, first and last included."""
    found: list[list[int]] = []
    for code in sorted(codes):
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def cut(font: Any, codes: set[int], target: Path) -> None:
    """Write a subset without hints, layout tables and names that nothing reads."""
    options = subset.Options(
        hinting=False,
        layout_features=[],
        name_IDs=[0, 1, 2, 4, 6, 13, 14],
        notdef_outline=True,
        drop_tables=[*subset.Options().drop_tables, "GSUB", "GPOS", "GDEF", "MATH", "STAT", "kern",
                     "vhea", "vmtx", "FFTM", "gasp"],
    )  # fmt: skip
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    if "prep" not in font:
        font["prep"] = tables.newTable("prep")
    font["prep"].program = programs.Program()
    font["prep"].program.fromBytecode(UNHINTED)
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    font.save(target)


def main(folder: Path, target: Path) -> None:
    """Build every font, its license text beside it, and the coverage table."""
    target.mkdir(parents=True, exist_ok=True)
    taken: set[int] = set()
    fonts: list[dict[str, object]] = []
    sequences: dict[str, str] = {}
    for source in SOURCES:
        path = find(folder, source.file)
        font = tables.TTFont(path)
        codes = wanted(source, font, taken)
        taken |= codes
        if source.name == "noto-emoji":
            sequences = add_sequences(font)
            codes |= {ord(text) for text in sequences.values()}
        cut(font, codes, target / f"{source.name}.ttf")
        shutil.copyfile(path.parent / source.license_file, target / f"{source.name}.LICENSE.txt")
        fonts.append({"name": source.name, "ranges": ranges(codes)})
        print(f"{source.name}: {len(codes)} characters")
    shutil.copyfile(find(folder, "Apache-2.0"), target / "apache-2.0.LICENSE.txt")
    coverage = {"fonts": fonts, "sequences": sequences}
    text = json.dumps(coverage, ensure_ascii=True, separators=(",", ":"))
    (target / "coverage.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))

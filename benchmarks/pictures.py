"""How long pictures take, beside the time that Pillow's own PNG encoder takes on the same ones.

Run: ``.venv/bin/python benchmarks/pictures.py``. Times are medians in milliseconds; a ratio is
drawing and encoding together, divided by Pillow's default encoder alone on the same pixels, once
as RGB and once with the palette. The aim is a ratio to RGB below 0.25.
"""

import statistics
import sys
from collections.abc import Callable
from io import BytesIO
from time import perf_counter
from typing import Final

from PIL import Image

from emulator.adapters.picture.png import encode
from emulator.adapters.picture.renderer import draw
from emulator.core.picture import SCENES, Picture, compose, png_text

FRAMES: Final = ((1024, 1024), (576, 1728), (2048, 2048), (3840, 2160))
# Names no scene, so that the seed chooses one.
PROMPT: Final = "A quiet morning, mist over the fields, long soft shadows, muted colours"
RUNS: Final = 9
TARGET: Final = 0.25


def medians_ms(*works: Callable[[], object]) -> list[float]:
    """Median times of pieces of work, done by turns so that a busy machine slows all alike."""
    times: list[list[float]] = [[] for _ in works]
    for run in range(RUNS + 1):
        for work, found in zip(works, times, strict=True):
            start = perf_counter()
            work()
            if run:  # the first is to warm up
                found.append((perf_counter() - start) * 1000)
    return [statistics.median(found) for found in times]


def save(image: Image.Image) -> bytes:
    """Encode as Pillow does by default."""
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pictures(width_px: int, height_px: int, quality: str) -> list[Picture]:
    """One picture of each scene."""
    found: dict[str, Picture] = {}
    for seed in range(1000):
        picture = Picture("task_01jd8w9q3m5x7c2v4b6n8z0k1r", 1, 4, width_px, height_px, PROMPT,
                          quality, "auto", seed)  # fmt: skip
        found.setdefault(compose(picture).scene, picture)
    if len(found) < len(SCENES):
        raise SystemExit(f"the prompt decides the scene: only {', '.join(found)} were found")
    return [found[scene] for scene in sorted(found)]


def measure(picture: Picture) -> tuple[float, float, float, float, int]:
    """Drawing, encoding, Pillow on RGB, Pillow with palette (milliseconds); bytes."""
    image, palette = draw(picture)
    text = png_text(picture)
    content = encode(image, palette, text)
    with Image.open(BytesIO(content)) as decoded:
        indexed = decoded.copy()
    rgb = indexed.convert("RGB")
    drawing, encoding, on_rgb, on_palette = medians_ms(
        lambda: draw(picture), lambda: encode(image, palette, text), lambda: save(rgb),
        lambda: save(indexed),
    )  # fmt: skip
    return drawing, encoding, on_rgb, on_palette, len(content)


def main(qualities: list[str], every: bool) -> None:
    """Print the table: the median and the slowest scene of each frame and quality, or all."""
    print(f"{'':36}milliseconds{'':22}ratio to Pillow")
    print(f"{'frame':10}{'quality':8}{'scene':9}{'draw':>7}{'encode':>8}"
          f"{'Pillow RGB':>12}{'palette':>9}{'RGB':>9}{'palette':>9}{'bytes':>10}")  # fmt: skip
    for width_px, height_px in FRAMES:
        for quality in qualities:
            rows = []
            for picture in pictures(width_px, height_px, quality):
                drawing, encoding, on_rgb, on_palette, size = measure(picture)
                ours = drawing + encoding
                line = (f"{f'{width_px}x{height_px}':10}{quality:8}{compose(picture).scene:9}"
                        f"{drawing:7.1f}{encoding:8.1f}{on_rgb:12.1f}{on_palette:9.1f}"
                        f"{ours / on_rgb:9.3f}{ours / on_palette:9.2f}{size:10,}")  # fmt: skip
                rows.append((ours / on_rgb, line))
            rows.sort()
            for ratio, line in rows if every else (rows[len(rows) // 2], rows[-1]):
                print(line, "" if ratio < TARGET else "  over")


if __name__ == "__main__":
    words = sys.argv[1:]
    main([word for word in words if word != "--all"] or ["low", "medium", "high"], "--all" in words)

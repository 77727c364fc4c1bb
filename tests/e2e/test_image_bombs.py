"""Images made to fill the memory: refused in bounded memory and time."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.images import image_bytes
from tests.support.process import Process

MIB = 1024 * 1024
# An honest picture of this many pixels takes half of it while it is decoded.
MOST_GROWTH_MIB = 128
MAX_MEGAPIXELS = "16"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, kind: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def packed(mebibytes: int) -> bytes:
    """Zeros, packed to a two hundredth."""
    packer, block = zlib.compressobj(1), bytes(MIB)
    return b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()


def animation(frames: int) -> bytes:
    """An animated WebP whose frames are many, and small in the file."""
    file = io.BytesIO()
    first = Image.new("RGB", (2000, 2000))
    more = [Image.new("RGB", (2000, 2000), color) for color in ("red", "blue")]
    first.save(file, "WEBP", save_all=True, append_images=more, lossless=True)
    head, *parts = file.getvalue().split(b"ANMF")
    body = b"ANMF".join([head, *parts, *(parts[position % 2 + 1] for position in range(frames))])
    return body[:4] + struct.pack("<I", len(body) - 8) + body[8:]


ZEROS = packed(256)
LINE = zlib.compress(bytes(4))
BOMBS = {
    "100,000 by 100,000 pixels": png(100_000, 100_000, chunk(b"IDAT", LINE)),
    "2**31 by 2**31 pixels": png(2**31, 2**31, chunk(b"IDAT", LINE)),
    "a line too wide": png(2**31 - 1, 1, chunk(b"IDAT", LINE)),
    "256 MiB behind a few pixels": png(8, 7, chunk(b"IDAT", LINE), chunk(b"IDAT", ZEROS)),
    "256 MiB of text": png(9, 9, chunk(b"zTXt", b"a\0\0" + ZEROS), chunk(b"IDAT", LINE)),
    "256 MiB of international text": png(
        9, 9, chunk(b"iTXt", b"a\0\1\0\0\0" + ZEROS), chunk(b"IDAT", LINE)
    ),
    "256 MiB of a colour profile": png(
        9, 9, chunk(b"iCCP", b"a\0\0" + ZEROS), chunk(b"IDAT", LINE)
    ),
    "100,000 text chunks": png(9, 9, *[chunk(b"tEXt", b"a\0b")] * 100_000, chunk(b"IDAT", LINE)),
    "a JPEG of 65,535 by 65,535 pixels": image_bytes("JPEG").replace(
        struct.pack(">HH", 48, 64), struct.pack(">HH", 65_535, 65_535)
    ),
    "a WebP of 2**24 by 2**24 pixels": (
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6
    ),
    "a WebP cut off in its animation": animation(2_000)[:-7],
    "a PNG cut off": png(3_000, 3_000, chunk(b"IDAT", packed(27)))[:-13],
    "a PNG whose pixels stop": png(4_000, 4_000, chunk(b"IDAT", zlib.compress(bytes(48)))),
    "a JPEG cut off": image_bytes("JPEG", (3_000, 3_000))[:-2],
}  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    flags = ("--max-image-megapixels", MAX_MEGAPIXELS, "--latency", "instant", "--log", "none")
    with Process("--database", ":memory:", *flags) as process:
        assert upload(process, image_bytes())[0] == 200  # the decoders are loaded
        yield process


def upload(process: Process, content: bytes) -> tuple[int, str | None]:
    response = process.client.post("/v1/images/upload", files={"file": ("a.png", content)})
    return response.status_code, response.json().get("error", {}).get("code")


def peak_mib(process: Process, *, forget: bool = False) -> float:
    """The most memory that the process had at once, from when it was last forgotten."""
    folder = Path(f"/proc/{process.process.pid}")
    if forget:
        (folder / "clear_refs").write_text("5")
    (line,) = [line for line in (folder / "status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) / 1024


linux_only = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs /proc")


@linux_only
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_no_usable_image_and_takes_no_memory(process: Process, bomb: str) -> None:
    before = peak_mib(process, forget=True)
    assert upload(process, BOMBS[bomb]) == (400, "invalid_image")
    assert peak_mib(process) - before < MOST_GROWTH_MIB
    assert process.client.get("/_emulator/health").status_code == 200


@linux_only
def test_of_an_animation_the_first_frame_alone_is_decoded(process: Process) -> None:
    content = animation(3_000)
    before = peak_mib(process, forget=True)
    assert upload(process, content) == (200, None)
    assert peak_mib(process) - before < MOST_GROWTH_MIB

"""Which files are accepted as images, and what is said of the others."""

import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emulator.adapters.picture.inspect import ImageFacts, ImageRejected, inspect, load

MAX_BYTES = 1_000_000
MAX_PIXELS = 1_000_000


def image_file(
    file_type: str, mode: str = "RGB", size: tuple[int, int] = (40, 30), **options: object
) -> bytes:
    file = BytesIO()
    image = Image.linear_gradient("L").resize(size).convert(mode)
    image.save(file, file_type, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


JPEG = image_file("JPEG")
PNG = image_file("PNG")
WEBP = image_file("WEBP")
PIXELS = chunk(b"IDAT", zlib.compress(bytes(4 * 1)))


ACCEPTED = [
    (JPEG, "image/jpeg"),
    (image_file("JPEG", "L"), "image/jpeg"),
    (image_file("JPEG", "CMYK"), "image/jpeg"),
    (image_file("JPEG", progressive=True), "image/jpeg"),
    (image_file("MPO"), "image/jpeg"),
    (PNG, "image/png"),
    (image_file("PNG", "P"), "image/png"),
    (image_file("PNG", "1"), "image/png"),
    (image_file("PNG", "I;16"), "image/png"),
    (image_file("PNG", "RGBA"), "image/png"),
    (image_file("PNG", "P", transparency=b"\0\x80"), "image/png"),
    (image_file("PNG", save_all=True, append_images=[Image.new("RGB", (40, 30))]), "image/png"),
    (WEBP, "image/webp"),
    (image_file("WEBP", "RGBA"), "image/webp"),
    (image_file("WEBP", lossless=True), "image/webp"),
    (image_file("WEBP", save_all=True, append_images=[Image.new("RGB", (40, 30))]), "image/webp"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "media_type"), ACCEPTED, ids=range(len(ACCEPTED)))
def test_accepted_files(content: bytes, media_type: str) -> None:
    assert inspect(content, MAX_BYTES, MAX_PIXELS) == ImageFacts(media_type, 40, 30)
    assert load(content, MAX_PIXELS).mode in {"L", "RGB", "RGBA"}


REJECTED = [
    (b"", "The file is empty; JPEG, PNG and WebP images are accepted."),
    (image_file("GIF"), "a GIF image; JPEG, PNG and WebP"),
    (image_file("BMP"), "a BMP image"),
    (image_file("TIFF"), "a TIFF image"),
    (image_file("ICO"), "an ICO image"),
    (b"%PDF-1.7\n", "a PDF document"),
    (b"\xef\xbb\xbf <!DOCTYPE html><html>", "an HTML page"),
    (b"<?xml version='1.0'?><svg/>", "an SVG image"),
    (b"<svg xmlns=''/>", "an SVG image"),
    (b'{"error": 1}', "JSON"),
    (b"\0\0\0\x1cftypavif", "an AVIF image"),
    (b"\0\0\0\x1cftypheic", "a HEIC image"),
    (b"\0\0\0\x1cftypisom", "a video"),
    (b"data:image/png;base64,AAAA", "the text of a data: URL"),
    (b"hello", "plain text"),
    (b"\0" * 64, "an unknown type"),
    (b"\x89PNG\r\n\x1a\n", "does not start with a header"),
    (b"\xff\xd8", "breaks off"),
    (b"\xff\xd8\xff", "breaks off"),
    (b"\xff\xd8\xff\xd9", "0×0 pixels"),
    (b"\xff\xd8\0\0", "where a segment should start"),
    (b"RIFF\4\0\0\0WEBP", "no picture"),
    (b"RIFF\x0c\0\0\0WEBPVP8X\0\0\0\0", "breaks off|cannot be decoded|pixels"),
    (PNG[:-1], "breaks off before its end"),
    (PNG[:-12], "breaks off before its end"),
    (PNG[: len(PNG) // 2], "breaks off before its end"),
    (JPEG[:-2], "breaks off before its end"),
    (JPEG[: len(JPEG) // 2], "breaks off before its end"),
    (WEBP[:-4], "breaks off before its end"),
    (WEBP[: len(WEBP) // 2], "breaks off before its end"),
    (png(1, 1), "cannot be decoded"),
    (png(0, 1, PIXELS), "0×1 pixels"),
    (png(8, 8, PIXELS), "cannot be decoded"),
    (png(1, 1, chunk(b"IDAT", b"not zlib")), "cannot be decoded"),
    (PNG[:30] + b"XX" + PNG[32:], "cannot be decoded"),
    (png(100_000, 100_000, PIXELS), r"10,000,000,000 pixels \(100000×100000\); at most 1,000,000"),
    (png(2**31, 2**31, PIXELS), "at most 1,000,000 are accepted"),
    (bytes(MAX_BYTES + 1), "The file has 1,000,001 bytes; at most 1,000,000 are accepted."),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REJECTED, ids=range(len(REJECTED)))
def test_rejected_files(content: bytes, message: str) -> None:
    with pytest.raises(ImageRejected, match=message) as caught:
        inspect(content, MAX_BYTES, MAX_PIXELS)
    assert "\n" not in str(caught.value)


def test_a_large_webp_is_rejected_before_it_is_decoded() -> None:
    image = Image.linear_gradient("L").convert("RGBA")
    image.putalpha(Image.radial_gradient("L"))
    file = BytesIO()
    image.save(file, "WEBP")
    big = bytearray(file.getvalue())
    assert big[12:16] == b"VP8X"
    big[24:30] = b"\xfe\x3f\0\xfe\x3f\0"
    with pytest.raises(ImageRejected, match="268,402,689 pixels"):
        inspect(bytes(big), MAX_BYTES, MAX_PIXELS)


def test_a_bomb_in_a_text_chunk_is_never_unpacked() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    content = png(1, 1, bomb, PIXELS)
    assert inspect(content, MAX_BYTES, MAX_PIXELS) == ImageFacts("image/png", 1, 1)


def test_broken_metadata_neither_matters_nor_warns() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xee" * 40
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    content = JPEG[:2] + segment + JPEG[2:]
    bad_animation = png(1, 1, chunk(b"acTL", b"\0"), PIXELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inspect(content, MAX_BYTES, MAX_PIXELS).media_type == "image/jpeg"
        assert inspect(bad_animation, MAX_BYTES, MAX_PIXELS).media_type == "image/png"


def test_a_photograph_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = image_file("JPEG", size=(40, 20), exif=exif.tobytes())
    assert inspect(content, MAX_BYTES, MAX_PIXELS) == ImageFacts("image/jpeg", 40, 20)
    assert load(content, MAX_PIXELS).size == (20, 40)


def test_sixteen_bits_keep_their_brightness() -> None:
    file = BytesIO()
    Image.new("I;16", (4, 4), 0x8000).save(file, "PNG")
    assert load(file.getvalue(), MAX_PIXELS).getpixel((0, 0)) == 0x80


@given(
    st.sampled_from([JPEG, PNG, WEBP]), st.integers(0, 10_000), st.binary(min_size=1, max_size=6)
)
@settings(max_examples=150)
def test_any_damage_is_a_rejection_or_nothing(content: bytes, place: int, patch: bytes) -> None:
    place %= len(content)
    damaged = content[:place] + patch + content[place + len(patch) :]
    try:
        inspect(damaged, MAX_BYTES, MAX_PIXELS)
    except ImageRejected as problem:
        assert str(problem)


def test_threads_do_not_disturb_each_other() -> None:
    def work() -> None:
        for _ in range(20):
            inspect(PNG, MAX_BYTES, MAX_PIXELS)

    run_in_threads(work)


def run_in_threads(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

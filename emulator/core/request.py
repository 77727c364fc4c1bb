"""What was asked, already valid."""

from typing import NamedTuple

from emulator.core.frame import Frame

MODEL = "gpt-image-2"
MIN_IMAGES, MAX_IMAGES = 1, 10  # GEN-10
MAX_REFERENCE_IMAGES = 16  # GEN-11


class Reference(NamedTuple):
    """A reference image, or a mask.

    Attributes:
        source: the URL that the caller gave, or the uploaded file's name; for placeholders.
        upload_id: the stored bytes, or None where they were not fetched.
    """

    source: str
    upload_id: str | None


class ImageRequest(NamedTuple):
    """A creation request that keeps every rule.

    Attributes:
        model: the model's id (GEN-1).
        prompt: the text, 1 to 32,000 characters (GEN-16).
        size: ``auto``, a ratio or ``WIDTHxHEIGHT``, as the caller wrote it (GEN-2, GEN-3).
        resolution: the tier; acts only where ``size`` is a ratio (GEN-5).
        quality: as the caller wrote it, or the profile's default (GEN-9).
        n: number of images (GEN-10).
        frame: the pixels that come out of size, resolution and profile.
        callback_url: where the end is reported, or None (GEN-12).
        references: reference images, in order (GEN-11).
        mask: limits where an edit changes, or None (EDIT-1).
    """

    model: str
    prompt: str
    size: str
    resolution: str
    quality: str
    n: int
    frame: Frame
    callback_url: str | None = None
    references: tuple[Reference, ...] = ()
    mask: Reference | None = None

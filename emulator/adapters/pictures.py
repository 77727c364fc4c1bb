"""Pictures and images, with Pillow imported at their first use: serving tasks needs none."""

from emulator.core.errors import Refusal
from emulator.core.picture import Picture
from emulator.core.ports import ImageFacts


class LateRenderer:
    """Draws pictures."""

    def render(self, picture: Picture) -> bytes:
        """Draw a picture as PNG bytes."""
        from emulator.adapters.picture.renderer import PillowRenderer

        return PillowRenderer().render(picture)


class ImageInspector:
    """Looks at images that clients send.

    Args:
        max_bytes, max_pixels: a larger image is refused.
    """

    def __init__(self, max_bytes: int, max_pixels: int) -> None:
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    def inspect(self, content: bytes, param: str) -> ImageFacts:
        """Decode an image.

        Raises:
            Refusal: it can't be used; names ``param`` (EDIT-2).
        """
        from emulator.adapters.picture.inspect import ImageRejected, inspect

        try:
            facts = inspect(content, self._max_bytes, self._max_pixels)
        except ImageRejected as rejected:
            message = f"{param} can't be used: {rejected}"
            raise Refusal("invalid_image", message, param, claim="EDIT-2") from rejected
        return ImageFacts(facts.media_type, facts.width_px, facts.height_px)

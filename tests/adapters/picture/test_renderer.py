"""Pictures: exact frames, the same pixels each time, references, masks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, PngImagePlugin

from emulator.adapters.picture.renderer import PillowRenderer
from emulator.core.picture import SCENES, Picture, ReferencePicture, compose, png_text

PICTURE = Picture("task_01jd8w9q3m5x7c2v4b6n8z0k1r", 1, 4, 600, 400, "A quiet place", "medium",
                  "3:2", 7)  # fmt: skip
FRAMES = [(1024, 1024), (576, 1728), (1728, 576), (1536, 1024), (2016, 864), (3840, 2160),
          (3840, 1280), (512, 512), (64, 64), (200, 90), (1, 1), (16, 3000)]  # fmt: skip
MAGENTA = (255, 0, 255)
CYAN = (0, 255, 255)


def drawn(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(PillowRenderer().render(picture))).convert("RGB")


def file_of(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def solid(colour: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> ReferencePicture:
    return ReferencePicture("upload_1", file_of(Image.new("RGB", size, colour)))


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    channels = ImageChops.difference(image, Image.new("RGB", image.size, colour)).split()
    return ImageChops.lighter(ImageChops.lighter(*channels[:2]), channels[2]).histogram()[0]


def of_scene(scene: str, **changes: object) -> Picture:
    word = SCENES[scene].split()[0]
    return replace(PICTURE, prompt=f"A {word}", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("width_px", "height_px"), FRAMES)
def test_a_picture_has_exactly_the_frame(width_px: int, height_px: int) -> None:
    content = PillowRenderer().render(replace(PICTURE, width_px=width_px, height_px=height_px))
    with Image.open(BytesIO(content)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("PNG", "P", (width_px, height_px))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("quality", ["low", "medium", "high"])
@pytest.mark.parametrize("size", [(300, 900), (900, 300), (64, 64)])
def test_every_scene_fills_every_shape(scene: str, quality: str, size: tuple[int, int]) -> None:
    picture = of_scene(scene, quality=quality, width_px=size[0], height_px=size[1])
    assert compose(picture).scene == scene
    assert sum(1 for number in drawn(picture).convert("L").histogram() if number) > 3


def test_equal_pictures_have_equal_pixels() -> None:
    with ThreadPoolExecutor(4) as threads:
        contents = set(threads.map(PillowRenderer().render, [PICTURE] * 8))
    assert len(contents) == 1


@pytest.mark.parametrize("other", [
    replace(PICTURE, seed=8), replace(PICTURE, prompt="Another place"), replace(PICTURE, index=2),
    replace(PICTURE, quality="high"), replace(PICTURE, task_id="task_2"),
    replace(PICTURE, size="auto"),
])  # fmt: skip
def test_other_pictures_have_other_pixels(other: Picture) -> None:
    assert ImageChops.difference(drawn(PICTURE), drawn(other)).getbbox() is not None


@pytest.mark.parametrize("scene", SCENES)
def test_quality_adds_detail(scene: str) -> None:
    def edges(quality: str) -> int:
        total = 0
        for seed in range(3):
            image = drawn(of_scene(scene, quality=quality, seed=seed, width_px=512, height_px=512))
            found = image.convert("L").filter(ImageFilter.FIND_EDGES).crop((0, 0, 512, 380))
            total += sum(found.histogram()[12:])
        return total

    assert edges("low") < edges("medium") < edges("high")


def test_the_file_says_what_it_is() -> None:
    picture = replace(PICTURE, prompt="Ein Bär, 熊, \0 and " + "more " * 6_000)
    image = PngImagePlugin.PngImageFile(BytesIO(PillowRenderer().render(picture)))
    image.load()
    expected = png_text(picture)
    assert image.text == expected | {"Prompt": expected["Prompt"].replace("\0", "")}


@given(
    st.text(st.characters(), max_size=80)
    | st.text("\u0301\u200d\ufe0f\u05e9\u0633👩🇯 \n\ud800a", max_size=80)
)
@settings(max_examples=60)
def test_no_text_is_too_strange(prompt: str) -> None:
    picture = replace(PICTURE, prompt=prompt, width_px=320, height_px=240, quality="low")
    assert PillowRenderer().render(replace(picture, task_id=prompt, size=prompt))


@pytest.mark.parametrize("number", [1, 2, 3, 5, 9, 16])
@pytest.mark.parametrize("size", [(600, 600), (400, 1200), (1200, 400)])
def test_references_are_in_the_picture(number: int, size: tuple[int, int]) -> None:
    references = (*[solid(CYAN)] * (number - 1), solid(MAGENTA))
    picture = replace(PICTURE, references=references, width_px=size[0], height_px=size[1])
    image = drawn(picture)
    share = count(image, MAGENTA) / (size[0] * size[1])
    assert image.size == size
    assert share > 0.22 / (number + 3)
    assert count(image, CYAN) == pytest.approx(count(image, MAGENTA) * (number - 1), rel=0.01)


@pytest.mark.parametrize(
    "source", ["https://example.com/cat.png", "upload_9", "http://[", "", "\ud800"]
)
def test_a_reference_that_was_not_fetched_has_a_placeholder(source: str) -> None:
    picture = replace(PICTURE, references=(ReferencePicture(source, None),))
    other = replace(PICTURE, references=(ReferencePicture("https://example.org/", None),))
    assert ImageChops.difference(drawn(picture), drawn(other)).getbbox() is not None


def test_a_reference_that_cannot_be_decoded_has_a_placeholder() -> None:
    broken = replace(PICTURE, references=(ReferencePicture("upload_1", b"broken"),))
    absent = replace(PICTURE, references=(ReferencePicture("upload_1", None),))
    assert ImageChops.difference(drawn(broken), drawn(absent)).getbbox() is None


def masked(
    mask: Image.Image, size: tuple[int, int] = (600, 600)
) -> tuple[Image.Image, Image.Image]:
    """Where the result of an edit differs from its base, and the base."""
    base = Image.radial_gradient("L").resize((300, 300)).convert("RGB")
    base = ImageOps.colorize(base.convert("L"), "red", "blue")
    reference = ReferencePicture("upload_1", file_of(base))
    picture = replace(PICTURE, references=(reference,), mask=file_of(mask), width_px=size[0],
                      height_px=size[1])  # fmt: skip
    scaled = ImageOps.fit(base, size, Image.Resampling.BICUBIC)
    return ImageChops.difference(drawn(picture), scaled).convert("L").point(
        [0] + [255] * 255
    ), scaled


@pytest.mark.parametrize("shape", ["rectangle", "ellipse"])
@pytest.mark.parametrize("alpha", [True, False])
def test_only_the_mask_s_area_changes(shape: str, alpha: bool) -> None:
    area = Image.new("L", (600, 600), 0)
    getattr(ImageDraw.Draw(area), shape)((100, 200, 499, 550), fill=255)
    mask = area
    if alpha:
        mask = Image.new("RGBA", area.size, (255, 255, 255, 255))
        mask.putalpha(ImageChops.invert(area))
    changed, _ = masked(mask)
    assert ImageChops.subtract(changed, area).getbbox() is None
    inside = sum(area.histogram()[128:])
    assert sum(changed.histogram()[128:]) > inside * 0.95


@pytest.mark.parametrize(
    "box", [(0, 0, 1, 1), (300, 300, 303, 303), (0, 590, 600, 600), (0, 0, 600, 600)]
)
def test_areas_of_any_size(box: tuple[int, int, int, int]) -> None:
    area = Image.new("L", (600, 600), 0)
    area.paste(255, box)
    changed, _ = masked(area)
    bounds = changed.getbbox()
    assert bounds is not None
    assert all(inner >= outer for inner, outer in zip(bounds[:2], box[:2], strict=True))
    assert all(inner <= outer for inner, outer in zip(bounds[2:], box[2:], strict=True))


def test_a_mask_of_nothing_changes_nothing() -> None:
    changed, _ = masked(Image.new("RGBA", (600, 600), (0, 0, 0, 255)))
    assert changed.getbbox() is None


def test_base_and_mask_are_scaled_alike() -> None:
    area = Image.new("L", (150, 150), 0)
    area.paste(255, (50, 50, 100, 100))
    changed, _ = masked(area, (600, 300))
    assert changed.getbbox() == (200, 50, 400, 250)


def test_the_other_references_are_in_the_changed_area() -> None:
    area = Image.new("L", (800, 800), 0)
    area.paste(255, (0, 0, 700, 800))
    picture = replace(PICTURE, references=(solid(CYAN), solid(MAGENTA)), mask=file_of(area),
                      width_px=800, height_px=800)  # fmt: skip
    image = drawn(picture)
    assert count(image.crop((700, 0, 800, 800)), CYAN) == 80_000
    assert count(image, MAGENTA) > 20_000

"""The picture's description: composition, ETag, texts in the file."""

from dataclasses import replace

import pytest

from emulator.core.picture import (
    SCENES,
    Picture,
    ReferencePicture,
    compose,
    etag,
    png_text,
)

PICTURE = Picture("task_1", 1, 2, 1024, 1024, "A quiet place", "high", "1:1", 7)
OTHERS = {
    "task": replace(PICTURE, task_id="task_2"),
    "index": replace(PICTURE, index=2),
    "count": replace(PICTURE, count=3),
    "width": replace(PICTURE, width_px=1008),
    "height": replace(PICTURE, height_px=1008),
    "prompt": replace(PICTURE, prompt="A quiet place."),
    "quality": replace(PICTURE, quality="low"),
    "size": replace(PICTURE, size="auto"),
    "seed": replace(PICTURE, seed=8),
    "reference": replace(PICTURE, references=(ReferencePicture("a", b"1"),)),
    "reference's source": replace(PICTURE, references=(ReferencePicture("b", b"1"),)),
    "reference's content": replace(PICTURE, references=(ReferencePicture("a", b"2"),)),
    "reference not fetched": replace(PICTURE, references=(ReferencePicture("a", None),)),
    "two references": replace(PICTURE, references=(ReferencePicture("a", b"1"),) * 2),
    "mask": replace(PICTURE, mask=b"1"),
    "other mask": replace(PICTURE, mask=b""),
}


@pytest.mark.parametrize("changed", OTHERS)
def test_every_field_changes_the_etag(changed: str) -> None:
    different = {etag(picture) for picture in OTHERS.values()} | {etag(PICTURE)}
    assert etag(OTHERS[changed]) != etag(PICTURE)
    assert len(different) == len(OTHERS) + 1


def test_the_etag_is_of_the_description() -> None:
    assert etag(replace(PICTURE)) == etag(PICTURE)
    assert len(bytes.fromhex(etag(PICTURE))) == 16


def test_fields_do_not_run_into_each_other() -> None:
    one = replace(PICTURE, task_id="a", prompt="bc")
    other = replace(PICTURE, task_id="ab", prompt="c")
    assert etag(one) != etag(other)


def test_any_text_has_an_etag() -> None:
    assert etag(replace(PICTURE, prompt="\ud800")) != etag(replace(PICTURE, prompt="\udfff"))


def test_png_text_says_what_the_picture_is() -> None:
    assert png_text(PICTURE) == {
        "Task": "task_1",
        "Image": "1/2",
        "Prompt": "A quiet place",
        "Size": "1:1",
        "Frame": "1024x1024",
        "Quality": "high",
        "Seed": "7",
    }


@pytest.mark.parametrize(("prompt", "scene"), [
    ("A Mountain, in fog", "ridges"), ("the city by night", "skyline"), ("planets", "orbits"),
])  # fmt: skip
def test_a_word_of_the_prompt_chooses_the_scene(prompt: str, scene: str) -> None:
    seeds = range(20)
    assert {compose(replace(PICTURE, prompt=prompt, seed=seed)).scene for seed in seeds} == {scene}


def test_otherwise_the_seed_chooses_it() -> None:
    assert {compose(replace(PICTURE, seed=seed)).scene for seed in range(99)} == set(SCENES)


def test_images_of_a_task_differ() -> None:
    seeds = {compose(replace(PICTURE, index=index)).seed for index in range(1, 11)}
    assert len(seeds) == 10


def test_quality_is_the_detail() -> None:
    details = [compose(replace(PICTURE, quality=quality)).detail
               for quality in ("low", "medium", "high", "auto")]  # fmt: skip
    assert details == [1, 2, 3, 2]

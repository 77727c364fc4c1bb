"""The compositions: each draws a whole frame from dice, in one to three degrees of detail."""

from collections.abc import Callable
from typing import Final

from emulator.adapters.picture.canvas import Canvas
from emulator.adapters.picture.dice import Dice
from emulator.adapters.picture.scenes import flow, land, orbits, sea, skyline, tiles

SCENES: Final[dict[str, Callable[[Canvas, Dice, int], None]]] = {
    "ridges": land.ridges,
    "dunes": land.dunes,
    "sea": sea.draw,
    "tiles": tiles.draw,
    "skyline": skyline.draw,
    "orbits": orbits.draw,
    "flow": flow.draw,
}

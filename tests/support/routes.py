"""Tests of what a server may not have yet."""

import pytest

from emulator.api.app import CONTROL


def needs(*routes: str) -> pytest.MarkDecorator:
    """Skip a test where the control API lacks a route, such as ``"GET /_emulator/faults"``."""
    there = {f"{route[0]} {route[1]}" for route in CONTROL}
    missing = [route for route in routes if route not in there]
    return pytest.mark.skipif(bool(missing), reason=f"there is no {', '.join(missing)}")

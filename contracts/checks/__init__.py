"""The judges: pure functions of a view, each bound to the claims that it speaks about."""

from importlib import import_module

_MODULES = (
    "transport", "errors", "refusals", "limits", "creation", "pixels", "lives", "results",
    "strangers", "media", "waiting", "callbacks", "credits", "balances", "catalogue", "page",
    "schema",
)  # fmt: skip


def load() -> None:
    """Register all judges."""
    for name in _MODULES:
        import_module(f"{__name__}.{name}")

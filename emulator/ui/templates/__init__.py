"""The templates of the pages, and what they can call."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from emulator.ui.assets import asset_url
from emulator.ui.claims import Claim, claims

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def environment() -> Environment:
    """Everything that is not marked otherwise is escaped."""
    made = Environment(
        loader=PackageLoader("emulator.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset_url"] = asset_url
    made.filters.update(markdown=markdown, inline_markdown=inline_markdown, claims=named_claims)
    return made


def markdown(text: str) -> Markup:
    """Render Markdown of the project's own documents; HTML in it is text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - the renderer escapes


def inline_markdown(text: str) -> Markup:
    """Render Markdown that stands inside a line."""
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - the renderer escapes


def named_claims(ids: tuple[str, ...]) -> list[Claim]:
    """The claims with these ids."""
    return [claims()[name] for name in ids if name in claims()]

"""HTML out of parts that can't be forgotten to be escaped."""

import base64
import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files

from markupsafe import Markup, escape

from contracts.verdict import Verdict

Child = str | Markup | None
Attribute = str | int | bool | None

# Beside the colour, so that nobody needs to see it.
SYMBOLS: dict[Verdict, str] = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✕",
    Verdict.NON_STRICT: "!",
    Verdict.OBSERVED: "◦",
    Verdict.UNSUPPORTED: "∅",
    Verdict.NOT_RUN: "–",
    Verdict.ENGINE_ERROR: "⚠",
}
_VOID = ("meta", "link", "img", "input")
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)")
_CODE = re.compile(r"`([^`]+)`")


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element.

    Args:
        name: of the element.
        children: text, which is escaped, and elements; None is left out.
        attributes: ``class_`` is class, ``aria_label`` is aria-label; False and None are left out.
    """
    shown = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in _VOID else f"{join(children)}</{name}>"
    return Markup(f"<{name}{shown}>{end}")  # noqa: S704 - every value in it is escaped


def join(children: Iterable[Child]) -> Markup:
    """Elements and escaped texts in a row."""
    return Markup("").join(child for child in children if child is not None)


def markdown(text: str) -> Markup:
    """The little Markdown of claims: code and bold; of a link its text."""
    parts: list[Child] = []
    end = 0
    for found in _INLINE.finditer(text):
        parts.append(text[end : found.start()])
        code, bold, link = found.groups()
        parts.append(tag("code", code) if code else tag("strong", bold) if bold else link)
        end = found.end()
    return join([*parts, text[end:]])


def foreign(text: str) -> Markup:
    """A target's words: whichever way they are written, what stands around keeps its place.

    What stands between backticks is shown as code; nothing else is read into it.
    """
    parts = _CODE.split(text)
    return tag("bdi", *(tag("code", p) if i % 2 else p for i, p in enumerate(parts)))


def chip(verdict: Verdict, text: str | None = None) -> Markup:
    """A verdict as a word with a symbol and a colour."""
    symbol = tag("span", SYMBOLS[verdict], aria_hidden="true")
    return tag("span", symbol, f" {text or verdict}", class_=f"chip {verdict_class(verdict)}")


def verdict_class(verdict: Verdict) -> str:
    """The CSS class that colours a verdict."""
    return f"v-{verdict.replace(' ', '-')}"


def page(title: str, body: Markup, *, has_script: bool = False) -> str:
    """A complete page that asks no host for anything.

    Args:
        title: for the browser's tab.
        body: what stands in ``body``.
        has_script: whether the filters' script belongs to it.
    """
    style, script = _static("page.css"), _static("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
    policy += f"; form-action 'none'; script-src 'sha256-{digest}'" if has_script else ""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(style)),  # noqa: S704 - a file of this package
    )
    code = tag("script", Markup(script)) if has_script else None  # noqa: S704 - as above
    document = tag("html", head, tag("body", body, code), lang="en")
    return f"<!doctype html>\n{document}\n"


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _static(name: str) -> str:
    return files("contracts.report").joinpath(name).read_text("utf-8")

"""Reads a page as a browser would, as far as the reports' tests need it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = ("meta", "link", "img", "input")


@dataclass
class Element:
    """An element with all the text below it."""

    name: str
    attributes: dict[str, str | None]
    above: tuple["Element", ...]
    text: str = ""


@dataclass
class Page:
    """The elements of a page, in order."""

    elements: list[Element] = field(default_factory=list)

    def all(self, name: str, **attributes: str) -> list[Element]:
        """The elements with a name and attributes; ``class_`` is one of the classes."""
        wanted = attributes.pop("class_", None)
        return [
            e
            for e in self.elements
            if e.name == name
            and all(e.attributes.get(k.replace("_", "-")) == v for k, v in attributes.items())
            and (wanted is None or wanted in (e.attributes.get("class") or "").split())
        ]

    def ids(self) -> list[str]:
        """Every id of the page."""
        return [value for e in self.elements if (value := e.attributes.get("id"))]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), tuple(self._open))
        self.page.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def done(self) -> Page:
        assert self._open == [], "elements stayed open"
        return self.page


def read_page(html: str) -> Page:
    """Parse a page; every element has to be closed where it ought to be."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.done()

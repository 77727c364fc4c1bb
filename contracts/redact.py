"""Takes secrets out of exchanges, before anything keeps them.

What is replaced is replaced by the same label wherever it stands, so that what was equal stays
equal: a link that was handed out still matches its download.
"""

import hashlib
import re

from contracts.exchange import Headers

UNKNOWN_KEY = "unknown-key"

KEY_HEADERS = ("authorization", "x-api-key")
_PUBLIC_HEADERS = ("www-authenticate",)
_MASKED = re.compile(r"(?i)[^!-~]|[*<>\[\](){}]|\.\.\.|redact|mask|hidden|removed|filtered")
# Headers that carry secrets under names of their own.
_SECRET_NAME = re.compile(r"(?i)auth|token|secret|session|cookie|password|api-?key")
_LABEL = re.compile(rf"key-\d+|{UNKNOWN_KEY}")
_KEY_IN_TEXT = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}")
_QUERY_SECRET = re.compile(r"([?&][A-Za-z0-9_.-]+=)([^&\"'\s\\<>#~]{16,})")
_LINK_QUERY = re.compile(r"\?[A-Za-z0-9_.-]+=[^\s\"'\\<>]*")


def is_masked(key: str) -> bool:
    """Whether a recorder put something else in a key's place: ``***``, ``[REDACTED]``, ``xxxx``."""
    return len(set(key.removeprefix("sk-"))) < 2 or _MASKED.search(key) is not None


class Redactor:
    """Replaces secrets by labels.

    Args:
        unknown_keys: keys that were made up to be refused; their label says so.
    """

    def __init__(self, unknown_keys: tuple[str, ...] = ()) -> None:
        self._labels: dict[str, str] = dict.fromkeys(unknown_keys, UNKNOWN_KEY)

    def key_label(self, key: str) -> str:
        """The label of a key; a text that is no key of the upstream's shape is ``unknown-key``."""
        if not key or _LABEL.fullmatch(key):
            return key
        if key not in self._labels:
            known = [label for label in self._labels.values() if label != UNKNOWN_KEY]
            looks_like_a_key = key.startswith("sk-")  # AUTH-3
            self._labels[key] = f"key-{len(known) + 1}" if looks_like_a_key else UNKNOWN_KEY
        return self._labels[key]

    def headers(self, headers: Headers) -> Headers:
        """Headers without keys, cookies and tokens."""
        return tuple((name, self._header_value(name.lower(), value)) for name, value in headers)

    def url(self, url: str) -> str:
        """A URL without long query values, which may be signatures."""
        return _QUERY_SECRET.sub(_digested, self.text(url))

    def text(self, text: str) -> str:
        """A text without keys, and without the signatures of links in it."""
        for key, label in self._labels.items():
            if len(key) >= 8:
                text = text.replace(key, label)
        text = _KEY_IN_TEXT.sub(lambda found: self.key_label(found[0]), text)
        return _LINK_QUERY.sub(lambda found: _QUERY_SECRET.sub(_digested, found[0]), text)

    def body(self, body: bytes) -> bytes:
        """A body without secrets; one that is no UTF-8 text only loses the keys that are known."""
        if not body:
            return body
        try:
            return self.text(body.decode("utf-8")).encode("utf-8")
        except UnicodeDecodeError:
            for key, label in self._labels.items():
                body = body.replace(key.encode("utf-8", "replace"), label.encode())
            return body

    def _header_value(self, name: str, value: str) -> str:
        if name not in KEY_HEADERS:
            if _SECRET_NAME.search(name) and name not in _PUBLIC_HEADERS:
                return "(hidden)"
            return self.url(value) if "?" in value else self.text(value)
        scheme, space, key = value.rpartition(" ")
        return f"{scheme}{space}{self.key_label(key)}"


def _digested(found: re.Match[str]) -> str:
    digest = hashlib.sha256(found[2].encode("utf-8", "surrogatepass")).hexdigest()
    return f"{found[1]}~{digest[:12]}"

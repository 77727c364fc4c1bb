"""The API's description as the reference shows it, read from openapi.yaml."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from emulator.api.documents import openapi_file
from emulator.ui.yaml_file import load_yaml

_METHODS = ("get", "post", "put", "delete")
_DEEPEST = 3  # levels of an answer's members that are shown


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, a field, or a member of an answer.

    Attributes:
        name: dotted where it is inside another.
        place: path, query, header, body or form.
        type: in JSON Schema's words.
        required: whether it has to be there.
        notes: what it does; Markdown.
        options: the values that it takes, where these are few.
        bounds: of a number or a length, such as ``1 to 10``; empty: none.
        default: what it is where it is left out; empty: none.
        claims: ids that it rests on.
    """

    name: str
    place: str
    type: str
    required: bool
    notes: str
    options: tuple[str, ...]
    bounds: str
    default: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An example body: a name, and JSON for people."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """An error that an operation answers, with an example of its message."""

    code: str
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers with one status."""

    status: str
    description: str
    media_types: tuple[str, ...]
    claims: tuple[str, ...]
    rows: tuple[Row, ...]
    examples: tuple[Example, ...]
    errors: tuple[ErrorRow, ...]

    @property
    def is_success(self) -> bool:
        """Whether it is no error."""
        return self.status < "400"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    needs_key: bool
    claims: tuple[str, ...]
    body_type: str
    body_example: str
    rows: tuple[Row, ...]
    answers: tuple[Answer, ...]


@cache
def operations() -> tuple[Operation, ...]:
    """All operations, in the description's order; HEAD is GET without a body."""
    document = load_yaml(openapi_file())
    reader = _Reader(document)
    return tuple(
        reader.operation(method, path, item)
        for path, item in document["paths"].items()
        for method in item
        if method in _METHODS
    )


def operation(operation_id: str) -> Operation:
    """The operation with an id."""
    return next(found for found in operations() if found.id == operation_id)


def errors() -> tuple[Answer, ...]:
    """All errors of all operations, one entry a status, one row a code."""
    by_status: dict[str, Answer] = {}
    for answer in (answer for each in operations() for answer in each.answers):
        if answer.errors:
            known = by_status.get(answer.status, answer)
            codes = {error.code: error for error in (*answer.errors, *known.errors)}
            claims = tuple(dict.fromkeys((*known.claims, *answer.claims)))
            by_status[answer.status] = replace(known, errors=tuple(codes.values()), claims=claims)
    return tuple(by_status[status] for status in sorted(by_status))


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def operation(self, method: str, path: str, item: dict[str, Any]) -> Operation:
        found = item[method]
        body = self.resolve(found.get("requestBody", {}))
        contents: dict[str, dict[str, Any]] = body.get("content", {})
        media_type = next(iter(contents), "")
        content = contents.get(media_type, {})
        examples = self._examples(content)
        parameters = [*item.get("parameters", []), *found.get("parameters", [])]
        place = "form" if media_type.startswith("multipart") else "body"
        security = found.get("security", self._document["security"])
        return Operation(
            id=found["operationId"],
            tag=found["tags"][0],
            method=method.upper(),
            path=path,
            summary=found["summary"],
            description=found.get("description", ""),
            needs_key=bool(security) and {} not in security,
            claims=tuple(found.get("x-claim", ())),
            body_type=media_type,
            body_example=examples[0].text if examples else "",
            rows=(
                *(self._parameter(self.resolve(each)) for each in parameters),
                *self._members(content.get("schema", {}), place, deepest=1),
            ),
            answers=tuple(
                self._answer(status, self.resolve(answer))
                for status, answer in found["responses"].items()
            ),
        )

    def resolve(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Follow ``$ref``; what stands beside it goes before what it names."""
        if "$ref" not in node:
            return dict(node)
        target: Any = self._document
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {**self.resolve(target), **beside}

    def _parameter(self, found: dict[str, Any]) -> Row:
        schema = {**self.resolve(found["schema"]), "description": found["description"]}
        claims = (*found.get("x-claim", ()), *schema.get("x-claim", ()))
        schema["x-claim"] = list(dict.fromkeys(claims))
        return self._row(found["name"], found["in"], schema, required=found.get("required", False))

    def _members(
        self, schema: Mapping[str, Any], place: str, *, deepest: int = _DEEPEST, inside: str = ""
    ) -> Iterator[Row]:
        resolved = self.resolve(schema)
        required = resolved.get("required", ())
        for name, member in resolved.get("properties", {}).items():
            found = self.resolve(member)
            yield self._row(inside + name, place, found, required=name in required)
            inner, mark = self._inner(found)
            if inner and deepest > 1:
                yield from self._members(
                    inner, place, deepest=deepest - 1, inside=f"{inside}{name}{mark}."
                )

    def _inner(self, schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The object that is inside a member, and the mark of a list."""
        for branch in (schema, *map(self.resolve, schema.get("anyOf", ()))):
            if "properties" in branch:
                return branch, ""
            items = self.resolve(branch.get("items", {}))
            if "properties" in items:
                return items, "[]"
        return {}, ""

    def _row(self, name: str, place: str, schema: dict[str, Any], *, required: bool) -> Row:
        branches = [self.resolve(branch) for branch in schema.get("anyOf", [schema])]
        options = [str(value) for branch in branches for value in branch.get("enum", ())]
        if "const" in schema:
            options.append(str(schema["const"]))
        return Row(
            name=name,
            place=place,
            type=self._type(schema),
            required=required,
            notes=schema.get("description", ""),
            options=tuple(dict.fromkeys(options)),
            bounds=_bounds(schema),
            default=str(schema.get("default", "")),
            claims=tuple(schema.get("x-claim", ())),
        )

    def _type(self, schema: dict[str, Any]) -> str:
        if "anyOf" in schema:
            branches = (self._type(self.resolve(branch)) for branch in schema["anyOf"])
            return " or ".join(dict.fromkeys(branches))
        kind = schema.get("type", "string" if "const" in schema else "object")
        kinds = kind if isinstance(kind, list) else [kind]
        shown = " or ".join(kinds)
        if "array" in kinds and "items" in schema:
            shown += f" of {self._type(self.resolve(schema['items']))}s"
        return "file" if schema.get("format") == "binary" else shown

    def _answer(self, status: str, found: dict[str, Any]) -> Answer:
        contents: dict[str, dict[str, Any]] = found.get("content", {})
        content: dict[str, Any] = next(iter(contents.values()), {})
        examples = self._examples(content)
        is_error = status >= "400"
        return Answer(
            status=status,
            description=found["description"],
            media_types=tuple(contents),
            claims=tuple(found.get("x-claim", ())),
            rows=() if is_error else tuple(self._members(content.get("schema", {}), "body")),
            examples=() if is_error else examples,
            errors=tuple(_errors(examples).values()) if is_error else (),
        )

    def _examples(self, content: Mapping[str, Any]) -> tuple[Example, ...]:
        return tuple(
            Example(
                self.resolve(example).get("summary", name.replace("_", " ")),
                json.dumps(self.resolve(example)["value"], indent=2, ensure_ascii=False),
            )
            for name, example in content.get("examples", {}).items()
        )


def _bounds(schema: Mapping[str, Any]) -> str:
    for least, most, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if most in schema:
            return f"{schema.get(least, 0):,} to {schema[most]:,}{unit}"
    return ""


def _errors(examples: Sequence[Example]) -> dict[str, ErrorRow]:
    """One row a code: the first example that has it."""
    rows: dict[str, ErrorRow] = {}
    for example in examples:
        error = json.loads(example.text)["error"]
        rows.setdefault(error["code"], ErrorRow(error["code"], error["type"], error["message"]))
    return rows

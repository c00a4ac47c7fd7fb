"""The documentation page at /docs: the OpenAPI document as plain HTML, rendered here, so that it needs no script and no other host.

Imports Flask and markupsafe; knows nothing of the operations but their document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Blueprint, render_template
from markupsafe import Markup, escape

from api.problems import KINDS


def prose(text: str) -> Markup:
    """Paragraphs, bullet lists, `code` and **bold** of a description as HTML; everything else is text."""
    blocks = [_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block]
    return Markup("\n").join(blocks)


def _block(block: str) -> Markup:
    lines = block.splitlines()
    if not lines[0].startswith("- "):
        return Markup("<p>{}</p>").format(inline(" ".join(lines)))
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:])
        else:
            items[-1] += " " + line.strip()
    return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(inline(item)) for item in items))


def inline(text: str) -> Markup:
    """`code` and **bold** of one line as HTML."""
    html = str(escape(text))
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html))  # noqa: S704 - escaped above


def kind_of(schema: Mapping[str, Any]) -> Markup:
    """A schema in a few words, with links to the schemas that it names."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return Markup(" or ").join(kind_of(option) for option in schema[several])
    if "enum" in schema:
        return Markup(" ").join(Markup("<code>{}</code>").format(value) for value in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return Markup("list of ") + kind_of(schema.get("items", {}))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("object of ") + kind_of(schema["additionalProperties"])
    return Markup("{}{}").format(kind, Markup(", ").join(["", *_bounds(schema)]))


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    if "format" in schema:
        yield str(schema["format"])
    for key, words in (("minimum", "at least"), ("maximum", "at most"), ("maxLength", "characters at most"), ("default", "default")):
        if key in schema:
            yield f"{words} {schema[key]}"


def blueprint(document: Callable[[], Mapping[str, Any]]) -> Blueprint:
    """The page at /docs for what ``document()`` gives when somebody first asks for the page."""
    made = Blueprint("reference", __name__)
    made.add_app_template_filter(prose)
    made.add_app_template_filter(inline)
    made.add_app_template_filter(kind_of)

    @made.get("/docs")
    def docs() -> str:
        told = document()
        by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {tag["name"]: [] for tag in told["tags"]}
        for path, methods in told["paths"].items():
            for method, operation in methods.items():
                by_tag[operation["tags"][0]].append((method.upper(), path, operation))
        return render_template("reference/page.html", document=told, by_tag=by_tag, kinds=KINDS)

    return made

"""A client that checks every page which it fetches: what holds for all pages is never tested by hand.

One h1 that the title repeats, no id twice, a label for each input, nothing inline that the CSP would refuse, no address of another
host, forms with their token, elements closed in order, references that lead somewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

INLINE = {"a", "abbr", "b", "button", "code", "em", "i", "kbd", "label", "option", "span", "strong", "time"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
ADDRESSES = {"href", "src", "action", "formaction", "poster", "data"}
REFERENCES = {"for", "aria-controls", "aria-describedby", "aria-labelledby", "aria-owns"}


@dataclass
class Element:
    """An element with its text, descendants' included."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[Element, ...]
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def inside(self, tag: str) -> Element | None:
        return next((parent for parent in reversed(self.parents) if parent.tag == tag), None)


class Document(HTMLParser):
    """The elements of a page, and what is wrong with how they are written."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.wrong: list[str] = []
        self.doctype = ""
        self.feed(markup)
        self.close()
        self.wrong.extend(f"<{element.tag}> is never closed" for element in self.open)

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        self.wrong.extend(f"<{tag}> has {name} twice" for name, times in names.items() if times > 1)
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self.open))
        self._part(tag)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1].tag if self.open else 'nothing'}")
            return
        self.open.pop()
        self._part(tag)

    def _part(self, tag: str) -> None:
        """Blocks stand apart in the text of what holds them."""
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [e for e in self.elements if e.tag == tag and all(e.attributes.get(name) == value for name, value in wanted.items())]

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def text(self) -> str:
        return self.one("body").text

    @property
    def main(self) -> str:
        return self.one("main").text


def faults(response: TestResponse, page: Document) -> list[str]:
    """Everything that is wrong with a page, whose markup was read before; empty where it is as it should be."""
    found = list(page.wrong)
    policy = response.headers.get("Content-Security-Policy", "")
    if "unsafe" in policy or "default-src 'none'" not in policy:
        found.append(f"the CSP is not strict: {policy}")
    nonce = re.search(r"'nonce-([^']+)'", policy)
    if response.headers.get("Cache-Control") != "no-store":
        found.append("the page may be kept by a cache")
    if page.doctype.lower() != "doctype html" or not page.one("html").attributes.get("lang"):
        found.append("no doctype or language")
    headings = page.all("h1")
    titles = [title for title in page.all("title") if not title.inside("svg")]
    if len(headings) != 1 or len(titles) != 1:
        found.append(f"{len(headings)} h1 and {len(titles)} title")
    else:
        heading = headings[0].text.removesuffix("Copy").strip()
        failed = "Error: " if any("govuk-error-summary" in e.attributes.get("class", "").split() for e in page.elements) else ""
        if titles[0].text != f"{failed}{heading} - duecare":
            found.append(f"title {titles[0].text!r} does not match h1 {heading!r}")
    level = 0
    for element in page.elements:
        if (
            re.fullmatch("h[1-6]", element.tag)
            and not element.inside("dialog")
            and "error-summary" not in element.attributes.get("class", "")
        ):
            if int(element.tag[1]) > level + 1:
                found.append(f"{element.tag} {element.text!r} after h{level}")
            level = int(element.tag[1])
    ids = Counter(element.attributes["id"] for element in page.elements if "id" in element.attributes)
    found.extend(f"id {name!r} {times} times" for name, times in ids.items() if times > 1)
    labelled = {element.attributes.get("for") for element in page.all("label") if element.text}
    for element in page.elements:
        found.extend(_element_faults(element, ids, labelled, nonce[1] if nonce else None))
    return found


def _element_faults(element: Element, ids: Counter[str], labelled: set[str | None], nonce: str | None) -> list[str]:
    found = []
    attributes = element.attributes
    for name, value in attributes.items():
        if name == "style" or name.startswith("on"):
            found.append(f"<{element.tag}> has the inline attribute {name}")
        if name in ADDRESSES and not re.match(r"(/(?!/)|#)", value):
            found.append(f"<{element.tag}> leads elsewhere: {name}={value!r}")
        if name in ADDRESSES and value.startswith("#") and value[1:] not in ids:
            found.append(f"{value} leads nowhere")
        if name in REFERENCES:
            found.extend(f"{name} names no element: {part}" for part in value.split() if part not in ids)
    if element.tag in {"script", "style"} and "src" not in attributes and attributes.get("nonce", "") != (nonce or object()):
        found.append(f"<{element.tag}> is inline, without the nonce")
    asks = element.tag in {"input", "select", "textarea"} and attributes.get("type") not in {"hidden", "submit"}
    named = attributes.get("id") in labelled or attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    if asks and not named:
        found.append(f"<{element.tag} name={attributes.get('name')!r}> has no label")
    if element.tag == "button" and not (element.text or attributes.get("aria-label")):
        found.append("a button without words")
    if element.tag == "a" and not (element.text or attributes.get("aria-label")):
        found.append(f"a link without words: {attributes.get('href')}")
    if element.tag == "th" and "scope" not in attributes:
        found.append("a th without scope")
    if element.tag == "img" and "alt" not in attributes:
        found.append("an img without alt")
    if element.tag == "form" and attributes.get("method") not in {"get", "post", "dialog"}:
        found.append("a form that does not say its method")
    return found


class PageClient:
    """A browser without a browser.  ``get`` and ``post`` fail the test for a page that is not as all pages should be."""

    def __init__(self, app: Flask) -> None:
        self.flask = app.test_client()
        self.last: TestResponse | None = None

    def get(self, path: str, *, status: int = 200, **kwargs: Any) -> Document:
        return self._checked(self.flask.get(path, headers={"Accept": "text/html"}, **kwargs), status)

    def post(self, path: str, data: dict[str, Any], *, status: int = 303, token: str | None = None, **kwargs: Any) -> Document | None:
        """Send a form; ``token`` None: the session's own."""
        if token is None:
            token = self.token()
        sent = self.flask.post(path, data={"csrf_token": token, **data}, headers={"Accept": "text/html"}, **kwargs)
        if 300 <= sent.status_code < 400:
            self.last = sent
            assert sent.status_code == status, f"{path}: {sent.status_code}, not {status}"
            return None
        return self._checked(sent, status)

    def token(self) -> str:
        with self.flask.session_transaction() as session:
            return str(session.get("token", ""))

    @property
    def location(self) -> str:
        assert self.last is not None
        return self.last.headers["Location"]

    def sign_in(self, name: str, password: str) -> None:
        self.get("/sign-in")
        self.post("/sign-in", {"name": name, "password": password})

    def _checked(self, response: TestResponse, status: int) -> Document:
        self.last = response
        assert response.status_code == status, (
            f"{response.request.path}: {response.status_code}, not {status} {response.headers.get('Location', '')}"
        )
        assert response.mimetype == "text/html"
        page = Document(response.text)
        assert not (wrong := faults(response, page)), f"{response.request.path}: " + "; ".join(wrong)
        for element in page.all("form", method="post"):
            assert element.attributes.get("action"), "a form without an address"
        return page

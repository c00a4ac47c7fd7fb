"""One declaration for each operation: its route, scope, parameters, bodies and answers; the OpenAPI document is made from the same.

An operation cannot be declared without saying who may call it, and cannot take a parameter that the document does not show.
(A layer of our own over pydantic's JSON Schema, because the ready-made ones take unknown or repeated parameters in silence, read
a body that is not JSON as none, and describe errors as something other than the problems that are sent.)  Imports Flask, pydantic
and this package's access and problems.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from api import access, problems, recorded, security
from api.problems import ApiProblem, Flaw
from rules import strictjson
from rules.errors import EventRefused
from rules.strictjson import MAX_EVENT
from service.access import SCOPES

JSON = "application/json"
VERSION = r'^"?([0-9]{1,18})"?$'
"""What ``If-Match`` holds."""
MOST_EXACT = 2**53
"""Whole numbers from here on are not exact as floating-point numbers."""


class Query(BaseModel):
    """Base of the query parameters of an operation: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """Base of the JSON bodies that people's programs send: unknown attributes are refused, types are not guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Q = TypeVar("Q", bound=Query)
B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer of an operation, as the document shows it."""

    description: str
    schema: Any = None
    """A type that pydantic can make a JSON Schema of; None: no body, or not JSON."""
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    """Name and description of headers worth telling."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler gives back where a plain body with 200 is not enough."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    """As OpenAPI writes it, e.g. ``/v1/cases/{case}``."""
    handler: Callable[..., Any]
    scope: str | None
    """None: anybody, without a key."""
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    query: type[Query] | None = None
    body: type[Body] | None = None
    raw_bodies: Mapping[str, Any] = field(default_factory=dict)
    """Media type -> schema, where the handler reads the request by itself."""
    problems: Sequence[str] = ()
    versioned: bool = False
    """The handler takes ``version``, from If-Match."""
    headers: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    """Request headers that the handler reads: name -> (required, description)."""
    own_problems: Mapping[int, Any] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return re.sub(r"\{(\w+)\}", r"<key:\1>", self.path)

    @property
    def endpoint(self) -> str:
        """Flask's name for it, and the document's operationId."""
        return self.handler.__name__

    @property
    def path_parameters(self) -> list[str]:
        """Names of the parts of the path that vary, in order."""
        return re.findall(r"\{(\w+)\}", self.path)


class Operations:
    """A set of operations under one heading; each ``v1`` module makes one."""

    def __init__(self, tag: str, description: str) -> None:
        self.tag = tag
        self.description = description
        self._all: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def get(self, path: str, **kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a GET; see ``add``."""
        return self.add("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a POST; see ``add``."""
        return self.add("POST", path, **kwargs)

    def add(
        self, method: str, path: str, *, scope: str | None, answers: Mapping[int, Answer], **kwargs: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare an operation.  Summary and description come from the handler's docstring; the other keywords are Operation's fields.

        Raises TypeError where the scope does not exist or the handler's parameters are not exactly what the operation will give it.
        """

        def declare(handler: Callable[..., Any]) -> Callable[..., Any]:
            summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n")
            operation = Operation(
                method=method,
                path=path,
                handler=handler,
                scope=scope,
                tag=self.tag,
                summary=summary.rstrip("."),
                description=description.strip(),
                answers=answers,
                **kwargs,
            )
            if scope is not None and scope not in SCOPES:
                raise TypeError(f"{handler.__name__} asks for a scope that does not exist: {scope}")
            wanted = set(operation.path_parameters)
            wanted |= {name for name in ("query", "body") if getattr(operation, name) is not None}
            wanted |= {"version"} if operation.versioned else set()
            if set(inspect.signature(handler).parameters) != wanted:
                raise TypeError(f"{handler.__name__} must take exactly {sorted(wanted)}")
            self._all.append(operation)
            return handler

        return declare


def mount(app: Flask, operations: Sequence[Operation]) -> None:
    """Give ``app`` a route for each operation."""
    for operation in operations:
        app.add_url_rule(operation.rule, endpoint=operation.endpoint, view_func=_view(operation), methods=[operation.method])


def _view(operation: Operation) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        access.require(operation.scope)
        arguments: dict[str, Any] = dict(path)
        query = read_query(operation.query or Query)
        if operation.query is not None:
            arguments["query"] = query
        if operation.versioned:
            arguments["version"] = _version()
        if operation.body is not None:
            arguments["body"] = read_body(operation.body)
        result = operation.handler(**arguments)
        recorded.saw(result.body if isinstance(result, Reply) else result)
        return respond(result)

    return view


def respond(result: Any) -> Response:
    """What a handler gave back, as a response."""
    reply = result if isinstance(result, Reply) else Reply(result)
    if isinstance(reply.body, Response):
        return reply.body
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, separators=(",", ":")) + "\n"
    response = Response(text, status=reply.status, content_type=reply.media)
    for name, value in reply.headers.items():
        response.headers[name] = value
    return response


def read_query(model: type[Q]) -> Q:
    """The query parameters of this request.  Raises ApiProblem naming every one that is unknown, repeated or unusable."""
    several = {name for name, info in model.model_fields.items() if "list" in str(info.annotation) or "tuple" in str(info.annotation)}
    given: dict[str, Any] = {}
    flaws: list[Flaw] = []
    for name, values in request.args.lists():
        if name in several:
            given[name] = values
        elif len(values) > 1:
            flaws.append(Flaw(parameter=problems.printable(name), code="repeated", message="this parameter may be given once only"))
        else:
            given[name] = values[0]
        if any("\x00" in text for text in (name, *values)):
            flaws.append(Flaw(parameter=problems.printable(name), code="unusable_text", message="it holds NUL"))
    if not flaws:
        try:
            return model.model_validate(given)
        except ValidationError as error:
            flaws = problems.flaws_of_query(error)
    raise ApiProblem("bad_parameter", detail="; ".join(f"{f.get('parameter', '')}: {f['message']}" for f in flaws), errors=flaws)


def read_body(model: type[B]) -> B:
    """The JSON body of this request.  Raises ApiProblem: not JSON (400, 415), or not what the operation takes (422)."""
    if request.mimetype != JSON:
        raise ApiProblem("unsupported_media_type", detail=f"This operation takes {JSON}.")
    value = loads(security.body())
    try:
        return model.model_validate_json(json.dumps(whole(value)))
    except ValidationError as error:
        raise ApiProblem("unprocessable", errors=problems.flaws_of_body(error)) from None


def whole(value: Any) -> Any:
    """The value with 2.0 as 2, as JSON Schema counts it among the integers."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < MOST_EXACT else value
    if isinstance(value, dict):
        return {name: whole(part) for name, part in value.items()}
    return [whole(part) for part in value] if isinstance(value, list) else value


def one_of(*groups: Sequence[str]) -> dict[str, Any]:
    """JSON Schema: all of one group of members is given, and nothing but null of the first of any other group."""
    nothing = {"type": "null"}
    present = {"not": nothing}
    choices: list[Any] = []
    for group in groups:
        others = [other[0] for other in groups if other is not group]
        choices.append({"required": list(group), "properties": dict.fromkeys(group, present) | dict.fromkeys(others, nothing)})
    return {"anyOf": choices}


def loads(raw: bytes, *, limit: int = MAX_EVENT) -> Any:
    """JSON, read strictly; ``limit`` in bytes.  Raises ApiProblem: malformed (with line and column), doubled names, too large."""
    try:
        return strictjson.loads(raw, max_bytes=limit)
    except EventRefused as refused:
        raise unreadable(refused) from None


def unreadable(refused: EventRefused) -> ApiProblem:
    """The problem that a text is which cannot be read as JSON."""
    flaws = [Flaw(pointer=p.pointer, code=p.code, message=p.message) for p in refused.problems]
    code = "too_large" if any(flaw["code"] == "too_large" for flaw in flaws) else "malformed_json"
    return ApiProblem(code, detail="The body " + "; ".join(flaw["message"] for flaw in flaws) + ".", errors=flaws)


def _version() -> int:
    given = request.headers.get("If-Match")
    if given is None:
        raise ApiProblem("version_required", errors=[Flaw(header="If-Match", code="missing", message="send the version that you read")])
    match = re.fullmatch(VERSION, given.strip(), re.ASCII)
    if match is None:
        raise ApiProblem("stale_version", errors=[Flaw(header="If-Match", code="no_such_version", message="this is no version of it")])
    return int(match[1])

"""The table of paths and the OpenAPI document say the same."""

from __future__ import annotations

import re

from oseo_lab.encoding.json_form import openapi
from oseo_lab.web.base import BaseOseoHandler
from oseo_lab.web.json_door import JsonHandler
from oseo_lab.web.routes import ROUTES, NowhereHandler

API = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
A_UUID = "12345678-1234-1234-1234-123456789012"


def handler_of(path: str) -> type[BaseOseoHandler]:
    filled = re.sub(r"\{\w+\}", "x", path.replace("{quotation}", A_UUID))
    return next(handler for pattern, handler in ROUTES if re.fullmatch(pattern, API + filled))


def answered(handler: type[BaseOseoHandler]) -> set[str]:
    return {each for each in METHODS if getattr(handler, each) is not getattr(JsonHandler, each)}


def test_every_path_of_the_json_api_is_described_with_its_methods_and_nothing_else_is():
    described: dict[type, set[str]] = {}
    for path, methods in openapi("https://example.org/").get("paths", {}).items():
        described.setdefault(handler_of(path), set()).update(methods)
    assert NowhereHandler not in described
    routed = {handler for pattern, handler in ROUTES if pattern.startswith(API)}
    found = {handler: answered(handler) for handler in routed}
    assert {each.__name__: found[each] for each in routed} == {
        each.__name__: described.get(each, set()) for each in routed | described.keys()
    }

"""The OpenAPI document is whole: every reference resolves, every path says what can go wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from oseo_lab.encoding.json_form import openapi
from oseo_lab.encoding.openapi_paths import OPERATIONS

DOCUMENT = openapi("https://example.org/oseo/api/v1/")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, each) for path, found in DOCUMENT["paths"].items() for method, each in found.items()
    ]


def test_every_reference_resolves() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 40
    for reference in found:
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_schema_is_used_and_is_json_schema() -> None:
    used = {each.rpartition("/")[2] for each in references(DOCUMENT)}
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas) <= used
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_a_path_says_what_comes_out_and_what_can_go_wrong() -> None:
    assert {f"/operations/{cls.__name__}" for cls in OPERATIONS} <= set(DOCUMENT["paths"])
    for path, method, operation in operations():
        responses = operation["responses"]
        assert any(status.startswith("2") for status in responses), (path, method)
        problem = responses["default"]["$ref"].rpartition("/")[2]
        assert "application/problem+json" in DOCUMENT["components"]["responses"][problem]["content"]


def test_paths_declare_exactly_the_parameters_they_have() -> None:
    for path, _, operation in operations():
        declared = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))
        assert all(each["required"] for each in operation.get("parameters", ()) if each["in"] == "path")


def test_operation_ids_are_unique() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_only_capabilities_and_the_document_itself_are_open() -> None:
    open_paths = {path for path, _, operation in operations() if operation.get("security") == []}
    assert open_paths == {"/openapi.json", "/capabilities", "/operations/GetCapabilities"}


def test_it_says_where_the_api_is_and_leaks_no_object() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["servers"] == [{"url": "https://example.org/oseo/api/v1"}]
    text = json.dumps(DOCUMENT)
    assert "catalogue_settings" not in text
    assert "lambda" not in text
    assert openapi("https://example.org/oseo/api/v1/") == json.loads(text)

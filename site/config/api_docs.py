"""The API's page for people: made from the same document that programs read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.api import api


def fields_of(shape: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """The names of a JSON object, with their types in a word."""
    if "$ref" in shape:
        shape = schemas[shape["$ref"].rsplit("/", 1)[1]]
    required = set(shape.get("required", []))
    return [
        {"name": name, "type": type_of(details), "required": name in required}
        for name, details in shape.get("properties", {}).items()
    ]


def type_of(details: dict[str, Any]) -> str:
    if "const" in details:
        return f"“{details['const']}”"
    if "$ref" in details:
        return str(details["$ref"].rsplit("/", 1)[1])
    if "anyOf" in details:
        return ", ".join(type_of(one) for one in details["anyOf"] if one.get("type") != "null")
    if details.get("type") == "array":
        return f"[{type_of(details['items'])}]"
    return str(details.get("format") or details.get("type") or "")


def shapes_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """One shape, or each of several that a body may have."""
    shape = next(iter(content.values()))["schema"]
    return list(shape.get("oneOf") or shape.get("anyOf") or [shape])


def operation(method: str, path: str, told: dict[str, Any], schemas: dict[str, Any]) -> Any:
    body = told.get("requestBody", {}).get("content")
    good = told["responses"].get(200) or told["responses"].get(201) or {}
    answers = shapes_of(good["content"]) if good.get("content") else []
    return {
        "method": method.upper(),
        "path": path,
        "summary": told["summary"],
        "description": told.get("description", ""),
        "parameters": [
            {
                "name": parameter["name"],
                "where": parameter["in"],
                "type": type_of(parameter["schema"]),
                "required": parameter["required"],
            }
            for parameter in told["parameters"]
        ],
        "bodies": [fields_of(shape, schemas) for shape in shapes_of(body)] if body else [],
        "answers": [fields_of(shape, schemas) for shape in answers],
        "statuses": sorted(told["responses"]),
    }


def docs(request: HttpRequest) -> HttpResponse:
    document = api.get_openapi_schema()
    schemas = document["components"]["schemas"]
    operations = [
        operation(method, path, told, schemas)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
    return render(
        request,
        "api/docs.html",
        {
            "description": api.description,
            "operations": operations,
            "problem": fields_of({"$ref": "/Problem"}, schemas),
            "address": request.build_absolute_uri("/api/v1"),
        },
    )

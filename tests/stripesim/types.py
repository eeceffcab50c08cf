"""What the installed SDK says of requests and answers, read from its own annotations.

Nothing here names a parameter or a field: operations come from the service methods, request
shapes from their TypedDicts, answer shapes from the resource classes. An enumeration that
the SDK leaves open (`Literal[...] | str`) is read as closed: a value that it does not know
is a fault here, in a request as in an answer.
"""

import ast
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, ForwardRef, Literal, get_args, get_origin

import stripe
from stripe._list_object import ListObject
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject
from typing_extensions import is_typeddict

from .errors import InvalidParams, ShapeError

OPTIONS = set(RequestOptions.__annotations__)
MAX_METADATA = {"keys": 50, "key": 40, "value": 500}


# Names that the SDK imports for type checkers only.


@cache
def tree_of(module: str) -> ast.Module:
    path = sys.modules[module].__file__ or ""
    with open(path, encoding="utf-8") as source:
        return ast.parse(source.read())


@cache
def deferred_imports(module: str) -> dict[str, tuple[str, str]]:
    found = {}
    for node in tree_of(module).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in ast.walk(node):
                if isinstance(line, ast.ImportFrom):
                    for name in line.names:
                        found[name.asname or name.name] = (line.module or "", name.name)
    return found


class Names(dict):
    """Names of a module with those that it imports under TYPE_CHECKING, on demand."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __missing__(self, name: str) -> Any:
        where, attribute = deferred_imports(self.module)[name]
        return getattr(importlib.import_module(where), attribute)


def resolve(module: str, name: str) -> Any:
    own = vars(importlib.import_module(module))
    return own[name] if name in own else Names(module)[name]


def evaluate(annotation: Any, module: str) -> Any:
    holder = type("Holder", (), {"__annotations__": {"it": annotation}})
    hints = typing.get_type_hints(holder, vars(sys.modules[module]), Names(module))
    return hints["it"]


@cache
def annotations_of(cls: type) -> dict[str, tuple[Any, str]]:
    """Each field's raw annotation with the module to read it in, class variables left out."""
    fields: dict[str, tuple[Any, str]] = {}
    for base in reversed(cls.__mro__ if not is_typeddict(cls) else (cls,)):
        if not base.__module__.startswith("stripe") or base in (StripeObject, ListObject):
            continue
        for name, annotation in inspect.get_annotations(base).items():
            if not name.startswith("_") and "ClassVar" not in str(annotation):
                fields[name] = (annotation, base.__module__)
    return fields


@cache
def hint_of(cls: type, field: str) -> Any:
    annotation, module = annotations_of(cls)[field]
    return evaluate(annotation, module)


@cache
def required_fields(cls: type) -> frozenset[str]:
    """Fields that an answer always carries: their annotation admits no None."""
    return frozenset(
        name for name, (annotation, _) in annotations_of(cls).items() if not is_optional(annotation)
    )


def is_optional(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.startswith("Optional")
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__.startswith("Optional")
    return type(None) in get_args(annotation)


@dataclass(frozen=True)
class Choices:
    """A hint taken apart: what a value of it may be."""

    literals: frozenset[Any]
    scalars: tuple[type, ...]
    typed: tuple[type, ...]
    resources: tuple[type, ...]
    lists: tuple[Any, ...]
    list_objects: tuple[Any, ...]
    maps: tuple[Any, ...]
    nullable: bool
    anything: bool

    @property
    def closed(self) -> bool:
        return bool(self.literals - {""})


@cache
def choices_of(hint: Any) -> Choices:
    parts: dict[str, list[Any]] = {
        name: [] for name in ("scalars", "typed", "resources", "lists", "list_objects", "maps")
    }
    literals: set[Any] = set()
    nullable = anything = False
    for part in flatten(hint):
        origin = get_origin(part)
        if part is type(None):
            nullable = True
        elif part is Any or isinstance(part, typing.TypeVar):
            anything = True
        elif origin is Literal:
            literals.update(get_args(part))
        elif origin is list:
            parts["lists"].append(get_args(part)[0])
        elif origin is dict:
            parts["maps"].append(get_args(part)[1])
        elif origin is UntypedStripeObject:
            parts["maps"].append(get_args(part)[0])
        elif origin is ListObject:
            parts["list_objects"].append(get_args(part)[0])
        elif is_typeddict(part):
            parts["typed"].append(part)
        elif isinstance(part, type) and issubclass(part, StripeObject):
            parts["resources"].append(part)
        elif part in (str, int, bool, float, Decimal):
            parts["scalars"].append(part)
        else:
            raise TypeError(f"stripesim cannot read the SDK's annotation {part!r}")
    return Choices(
        literals=frozenset(literals),
        nullable=nullable,
        anything=anything,
        **{name: tuple(found) for name, found in parts.items()},
    )


def flatten(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (typing.Union, types.UnionType):
        for part in get_args(hint):
            yield from flatten(part)
    else:
        yield hint


# Operations: verb, path, parameters and answer of a service's method.


@dataclass(frozen=True)
class Operation:
    name: str
    verb: str
    path: str
    params: type | None
    returns: Any

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{\w+\}", r"([^/]+)", self.path) + r"\Z")

    @property
    def is_list(self) -> bool:
        return bool(choices_of(self.returns).list_objects)


def operation(name: str) -> Operation:
    """`checkout.sessions.create`, or `Charge.list_refunds`, as the SDK's own method calls it."""
    *services, method = name.split(".")
    if name[0].isupper():
        cls, module = services[0], getattr(stripe, services[0]).__module__
    else:
        module, cls = "stripe._v1_services", "V1Services"
        for service in services:
            importlib.import_module(module)
            module, cls = sys.modules[module]._subservices[service]
        importlib.import_module(module)
    function = method_of(module, cls, method)
    call = next(
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("self._request", "cls._static_request")
    )
    verb, path = call.args[0], call.args[1]
    if isinstance(path, ast.Call):
        path = typing.cast(ast.Attribute, path.func).value
    given = [*function.args.args, *filter(None, [function.args.kwarg])]
    hint = next((arg.annotation for arg in given if arg.arg == "params"), None)
    params = re.search(r"\w+Params\b", ast.unparse(hint)) if hint else None
    said = typing.cast(ast.expr, function.returns)
    returns = said.value if isinstance(said, ast.Constant) else ast.unparse(said)
    return Operation(
        name=name,
        verb=ast.literal_eval(verb).upper(),
        path=ast.literal_eval(path),
        params=resolve(module, params[0]) if params else None,
        returns=evaluate(returns, module),
    )


def method_of(module: str, cls: str, method: str) -> ast.FunctionDef:
    for node in tree_of(module).body:
        if isinstance(node, ast.ClassDef) and node.name == cls:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == method:
                    return item
    raise LookupError(f"The SDK has no {cls}.{method}")


# Requests.


def read_params(raw: Mapping[str, Any], cls: type | None) -> dict[str, Any]:
    """Text from a form turned into what the method's TypedDict says, or refused."""
    return read_typed(raw, cls, "") if cls else read_nothing(raw)


def read_nothing(raw: Mapping[str, Any]) -> dict[str, Any]:
    for name in raw:
        raise unknown(name)
    return {}


def read_typed(raw: Mapping[str, Any], cls: type, path: str) -> dict[str, Any]:
    known = set(annotations_of(cls)) - (OPTIONS if RequestOptions in orig_bases(cls) else set())
    for name in raw:
        if name not in known:
            raise unknown(inside(path, name))
    for name in sorted(getattr(cls, "__required_keys__", ())):
        if name in known and name not in raw:
            param = inside(path, name)
            raise InvalidParams(f"Missing required param: {param}.", param, "parameter_missing")
    return {name: read(raw[name], hint_of(cls, name), inside(path, name)) for name in raw}


def orig_bases(cls: type) -> tuple[Any, ...]:
    return getattr(cls, "__orig_bases__", ())


def unknown(param: str) -> InvalidParams:
    return InvalidParams(f"Received unknown parameter: {param}", param, "parameter_unknown")


def inside(path: str, name: str | int) -> str:
    return f"{path}[{name}]" if path else str(name)


def read(raw: Any, hint: Any, path: str) -> Any:
    choices = choices_of(hint)
    return read_text(raw, choices, path) if isinstance(raw, str) else read_tree(raw, choices, path)


def read_text(raw: str, choices: Choices, path: str) -> Any:
    if raw in choices.literals:
        return raw
    if raw == "":
        message = (
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' "
            "from your request or supply a non-empty value."
        )
        raise InvalidParams(message, path, "parameter_invalid_empty")
    if int in choices.scalars and re.fullmatch(r"-?\d{1,18}", raw):
        return int(raw)
    if bool in choices.scalars and raw in ("true", "false"):
        return raw == "true"
    if float in choices.scalars and re.fullmatch(r"-?\d{1,15}(\.\d+)?", raw):
        return float(raw)
    if Decimal in choices.scalars and re.fullmatch(r"-?\d{1,15}(\.\d{1,12})?", raw):
        return raw
    if str in choices.scalars and not choices.closed:
        return raw
    raise wrong_text(raw, choices, path)


def wrong_text(raw: str, choices: Choices, path: str) -> InvalidParams:
    if choices.closed:
        said = ", ".join(sorted(str(value) for value in choices.literals if value))
        return InvalidParams(f"Invalid {path}: must be one of {said}", path)
    for kind, word in ((int, "integer"), (bool, "boolean"), (float, "decimal")):
        if kind in choices.scalars:
            code = "parameter_invalid_integer" if kind is int else None
            return InvalidParams(f"Invalid {word}: {raw}", path, code)
    word = "array" if choices.lists else "object"
    return InvalidParams(f"Invalid {word}", path)


def read_tree(raw: Mapping[str, Any], choices: Choices, path: str) -> Any:
    if choices.typed:
        return read_typed(raw, choices.typed[0], path)
    if choices.lists:
        if [str(i) for i in range(len(raw))] != list(raw):
            raise InvalidParams("Invalid array", path)
        return [
            read(value, choices.lists[0], inside(path, i)) for i, value in enumerate(raw.values())
        ]
    if choices.maps:
        return read_map(raw, choices.maps[0], path)
    word = "string" if str in choices.scalars else "value"
    raise InvalidParams(f"Invalid {word}: {dict(raw)}", path)


def read_map(raw: Mapping[str, Any], hint: Any, path: str) -> dict[str, Any]:
    if path.endswith(("metadata", "metadata]")):
        return read_metadata(raw, path)
    return {name: read(value, hint, inside(path, name)) for name, value in raw.items()}


def read_metadata(raw: Mapping[str, Any], path: str) -> dict[str, Any]:
    if len(raw) > MAX_METADATA["keys"]:
        raise InvalidParams("Metadata can have up to 50 keys", path)
    for name, value in raw.items():
        if not isinstance(value, str):
            raise InvalidParams("Invalid string: metadata values are strings", inside(path, name))
        if len(name) > MAX_METADATA["key"] or len(value) > MAX_METADATA["value"]:
            message = "Metadata keys have up to 40 characters and values up to 500"
            raise InvalidParams(message, inside(path, name))
    return dict(raw)


# Answers.


def check(value: Any, hint: Any, path: str) -> None:
    """Raise ShapeError unless the SDK's annotation admits this value."""
    choices = choices_of(hint)
    if choices.anything:
        return
    if value is None:
        if not choices.nullable:
            raise ShapeError(f"{path} is null")
    elif isinstance(value, dict):
        check_tree(value, choices, path)
    elif isinstance(value, list):
        if not choices.lists:
            raise ShapeError(f"{path} is an array")
        for i, item in enumerate(value):
            check(item, choices.lists[0], f"{path}[{i}]")
    elif not fits(value, choices):
        raise ShapeError(f"{path} is {value!r}, wanted {hint}")


def fits(value: Any, choices: Choices) -> bool:
    if isinstance(value, bool):
        return bool in choices.scalars or any(value is known for known in choices.literals)
    if isinstance(value, str):
        if choices.closed:
            return value in choices.literals
        return str in choices.scalars or Decimal in choices.scalars or value in choices.literals
    if isinstance(value, int):
        return int in choices.scalars or float in choices.scalars
    return isinstance(value, float) and float in choices.scalars


def check_tree(value: dict[str, Any], choices: Choices, path: str) -> None:
    if choices.list_objects:
        check_list(value, choices.list_objects[0], path)
    elif choices.resources:
        check_resource(value, chosen(value, choices.resources, path), path)
    elif choices.maps:
        for name, item in value.items():
            check(item, choices.maps[0], f"{path}.{name}")
    else:
        raise ShapeError(f"{path} is an object")


def chosen(value: dict[str, Any], classes: tuple[type, ...], path: str) -> type:
    if len(classes) == 1:
        return classes[0]
    for cls in classes:
        if getattr(cls, "OBJECT_NAME", None) == value.get("object"):
            return cls
    raise ShapeError(f"{path} is none of {[cls.__name__ for cls in classes]}")


def check_list(value: dict[str, Any], hint: Any, path: str) -> None:
    if set(value) != {"object", "data", "has_more", "url"} or value["object"] != "list":
        raise ShapeError(f"{path} is no list object: {sorted(value)}")
    for i, item in enumerate(value["data"]):
        check(item, hint, f"{path}.data[{i}]")


def check_resource(value: dict[str, Any], cls: type, path: str = "") -> None:
    path = path or cls.__name__
    if value.get("deleted") is True:
        if set(value) != {"id", "object", "deleted"}:
            raise ShapeError(f"{path} is deleted and shows {sorted(value)}")
        return
    known = annotations_of(cls)
    for name in value:
        if name not in known:
            raise ShapeError(f"{path}.{name}: {cls.__name__} has no such field")
    for name in required_fields(cls):
        if name not in value:
            raise ShapeError(f"{path}.{name} is missing")
    for name, item in value.items():
        check(item, hint_of(cls, name), f"{path}.{name}")

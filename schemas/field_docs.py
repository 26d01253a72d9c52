"""What the fields of records mean: the docstrings under them, read from the source once somebody asks.

Pydantic would keep them itself (``use_attribute_docstrings``), but reads and parses the source of every class
as soon as that is imported: a second of each process that starts, whether it shows them or not.
"""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


def describe_fields(model: type[BaseModel]) -> dict[str, str]:
    """Return what is said of each field of which something is said, inherited ones included."""
    said = {}
    for name, info in model.model_fields.items():
        base = next(base for base in model.__mro__ if name in inspect.get_annotations(base))
        if text := info.description or _docstrings_in(base).get(name):
            said[name] = text
    return said


def describe_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model, with what is said of each field."""
    return model.model_json_schema(schema_generator=_DescribedSchema)


class _DescribedSchema(GenerateJsonSchema):
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        model = cast("type[BaseModel]", schema["cls"])
        for name, text in describe_fields(model).items():
            place = described.get("properties", {}).get(model.model_fields[name].alias or name)
            if place is not None:
                place.setdefault("description", text)
        return described


@cache
def _docstrings_in(model: type[Any]) -> dict[str, str]:
    """Return the docstrings under the attributes in the body of a class; none if its source is not there."""
    try:
        source = inspect.getsource(model)
    except (OSError, TypeError):
        return {}
    (body,) = (
        node.body for node in ast.parse(textwrap.dedent(source)).body if isinstance(node, ast.ClassDef)
    )
    found = {}
    for statement, below in pairwise(body):
        match statement, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found

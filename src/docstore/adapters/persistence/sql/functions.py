"""What databases name differently, or write otherwise."""

from typing import Any

from sqlalchemy import Boolean, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class position(FunctionElement[int]):
    """Where a part stands in a text, both given in this order: from 1, or 0 for nowhere."""

    inherit_cache = True
    type = Integer()


class has_element(FunctionElement[bool]):
    """Whether a JSON list has a text among its elements, both given in this order."""

    inherit_cache = True
    type = Boolean()


@compiles(position)
def _instr(element: position, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({_arguments(element, compiler, options)})"


@compiles(position, "postgresql")
def _strpos(element: position, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({_arguments(element, compiler, options)})"


@compiles(has_element)
def _among_json_each(element: has_element, compiler: SQLCompiler, **options: Any) -> str:
    elements, text = (compiler.process(each, **options) for each in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({elements}) AS each WHERE each.value = {text})"


@compiles(has_element, "postgresql")
def _among_elements(element: has_element, compiler: SQLCompiler, **options: Any) -> str:
    elements, text = (compiler.process(each, **options) for each in element.clauses)
    found = f"SELECT each.value FROM json_array_elements_text({elements}) AS each"
    return f"{text} IN ({found})"


def _arguments(
    element: FunctionElement[Any], compiler: SQLCompiler, options: dict[str, Any]
) -> str:
    return compiler.process(element.clauses, **options)

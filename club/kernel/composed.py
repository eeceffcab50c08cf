"""A query composed once.

Django composes a query's SQL anew each time, which for a query of several
sub-queries costs more than the database needs to answer it. Here the queryset is
written as always, composed at its first use with marks in place of the values, and
from then on only the values change.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Composed:
    """`make(**marks)` gives a `values_list` queryset; `first(**values)` its first row.

    A mark must stand for itself alone: a value that the query has nowhere else.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **marks: Any) -> None:
        self.make = make
        self.marks = marks
        self.plan: tuple[str, list[tuple[str, Any]], Any, Any] | None = None

    def compose(self) -> tuple[str, list[tuple[str, Any]], Any, Any]:
        names = {adapted(mark): name for name, mark in self.marks.items()}
        compiler = self.make(**self.marks).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        filled = [(names.get(value, ""), value) for value in parameters]
        converters = compiler.get_converters([column[0] for column in compiler.select])
        return sql, filled, compiler, converters

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        if self.plan is None:
            self.plan = self.compose()
        sql, filled, compiler, converters = self.plan
        parameters = [adapted(values[name]) if name else constant for name, constant in filled]
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            row = cursor.fetchone()
        if row is not None and converters:
            row = tuple(next(iter(compiler.apply_converters([row], converters))))
        return row


def adapted(value: Any) -> Any:
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value

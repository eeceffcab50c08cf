"""Types for what comes in by the API: each value is bounded before a rule sees it."""

import re
from datetime import date
from typing import Annotated, Any

from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

FIRST_YEAR, LAST_YEAR = 2000, 2100
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def near(day: date) -> bool:
    """Whether a day is one that people mean: no year 1, no year 9999."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def iso_day(value: Any) -> date:
    """Only `2027-03-09`: no number of seconds, no week dates, no far-off year."""
    if isinstance(value, str) and ISO_DAY.match(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            pass
        else:
            if near(day):
                return day
    sentence = _("Écrivez un jour comme 2027-03-09.")
    raise PydanticCustomError("day", "{sentence}", {"sentence": sentence})


def without_nul(value: str) -> str:
    """PostgreSQL keeps no NUL in a text."""
    if "\x00" in value:
        raise PydanticCustomError(
            "text", "{sentence}", {"sentence": _("Un caractère de ce texte n’est pas permis.")}
        )
    return value


Day = Annotated[
    date,
    BeforeValidator(iso_day),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Text = Annotated[str, StringConstraints(max_length=100), AfterValidator(without_nul)]
Cursor = Annotated[str, StringConstraints(max_length=800), AfterValidator(without_nul)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,50}$")]


class Request(BaseModel):
    """A request's body: an unknown name is refused, because it is a name mistyped."""

    model_config = ConfigDict(extra="forbid")

"""Everything that is held about a member, in one ZIP: to read, to calculate, to take along."""

import csv
import io
import json
import zipfile
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.template.loader import render_to_string

from club.kernel import personal
from club.kernel.personal import Held, Room, as_data, as_words
from club.models import Member

Found = list[tuple[Held, list[Model]]]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet; an apostrophe makes it words."""


def archive_of(member: Member, now: datetime) -> bytes:
    found = [(room, [(held, held.rows(member)) for held in room.held]) for room in personal.rooms()]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("resume.html", summary(member, found, now))
        for room, rows in found:
            archive.writestr(f"json/{room.name}.json", as_json(rows))
            for held, lines in rows:
                if held.sheet:
                    archive.writestr(f"tableaux/{held.sheet}.csv", as_csv(held, lines))
    return file.getvalue()


def as_json(rows: Found) -> str:
    data = {held.name: [as_data(row, held) for row in lines] for held, lines in rows}
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)


def as_csv(held: Held, lines: list[Model]) -> bytes:
    """Semicolons and a mark of UTF-8, as French spreadsheets expect."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([field.name for field in held.fields()])
    for row in lines:
        writer.writerow([cell(value) for value in as_data(row, held).values()])
    return text.getvalue().encode("utf-8-sig")


def cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return "" if value is None else value


def summary(member: Member, found: list[tuple[Room, Found]], now: datetime) -> str:
    """Only what says something: columns that have a label, kinds that have a row."""
    rooms = [
        {
            "title": room.title,
            "kinds": [
                {
                    "title": held.model._meta.verbose_name_plural,
                    "rows": [as_words(row, held) for row in lines],
                }
                for held, lines in rows
                if lines
            ],
        }
        for room, rows in found
    ]
    context = {"who": member, "rooms": rooms, "now": now}
    return render_to_string("portal/export_summary.html", context)

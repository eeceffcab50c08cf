"""Sheets of paper as PDF: what is printed, signed and filed away.

A page that prints itself needs a browser with a printer; a file is sent, stored and printed
elsewhere. The font comes with the library and knows the letters of western Europe: a letter
that it lacks is written without its mark rather than as an empty box.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONT, BOLD = "Vera", "Vera-Bold"
INK, GREY = HexColor("#1c1c1c"), HexColor("#6b6b6b")
HAIR, SHADE = HexColor("#b9b9b9"), HexColor("#ececec")
MARGIN = 15 * mm
TICK = 4 * mm
LEAST_ROW = 12 * mm
"""High enough to sign in."""


@dataclass(frozen=True)
class Column:
    """A heading, and how wide it is, in millimetres; nothing: what the others leave."""

    name: str
    width: float | None = None


@dataclass(frozen=True)
class Line:
    """One row to tick: its cells, each of one or several lines; greyed where nobody comes."""

    cells: Sequence[str | Sequence[str]]
    is_grey: bool = False


@dataclass(frozen=True)
class Sheet:
    title: str
    head: Sequence[str]
    columns: Sequence[Column]
    lines: Sequence[Line]
    totals: Sequence[str] = ()


class Tick(Flowable):
    """A box to tick by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.width = self.height = TICK

    def draw(self) -> None:
        self.canv.setStrokeColor(INK)
        self.canv.rect(0, 0, TICK, TICK)


@cache
def glyphs() -> frozenset[int]:
    """What the font can draw; the first call makes it known to the library."""
    for name, file in ((FONT, "Vera.ttf"), (BOLD, "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, file))
    return frozenset(pdfmetrics.getFont(FONT).face.charToGlyph)


def drawable(text: str) -> str:
    known = glyphs()
    return "".join(
        one if ord(one) in known else unicodedata.normalize("NFKD", one)[0]
        for one in unicodedata.normalize("NFC", text)
    )


def paragraph(text: str | Sequence[str], **style: Any) -> Paragraph:
    """Text as it is typed: nothing in it is markup."""
    found = [text] if isinstance(text, str) else text
    asked = {"fontName": FONT, "fontSize": 9.5, "leading": 12.5, "textColor": INK} | style
    html = "<br/>".join(escape(drawable(one)) for one in found)
    return Paragraph(html, ParagraphStyle("sheet", **asked))


def story(sheet: Sheet) -> list[Flowable]:
    found: list[Flowable] = [
        paragraph(sheet.title, fontName=BOLD, fontSize=15, leading=20),
        *[paragraph(line, textColor=GREY) for line in sheet.head],
        Spacer(0, 3 * mm),
    ]
    if sheet.totals:
        found += [paragraph(" · ".join(sheet.totals), fontName=BOLD, fontSize=11, leading=15)]
        found += [Spacer(0, 3 * mm)]
    return [*found, table(sheet)]


def table(sheet: Sheet) -> Table:
    heads: list[Any] = [""]
    heads += [paragraph(one.name, fontName=BOLD, fontSize=8.5) for one in sheet.columns]
    rows, greys = [heads], []
    for number, line in enumerate(sheet.lines, start=1):
        style = {"textColor": GREY} if line.is_grey else {}
        tick: Any = "" if line.is_grey else Tick()
        rows.append([tick, *[paragraph(cell, **style) for cell in line.cells]])
        if line.is_grey:
            greys.append(("BACKGROUND", (0, number), (-1, number), SHADE))
    given = sum(one.width or 0 for one in sheet.columns) * mm + TICK + 4 * mm
    rest = (A4[0] - 2 * MARGIN - given) / max(1, sum(one.width is None for one in sheet.columns))
    widths = [rest if one.width is None else one.width * mm for one in sheet.columns]
    return Table(
        rows,
        colWidths=[TICK + 4 * mm, *widths],
        minRowHeights=[0, *[LEAST_ROW] * len(sheet.lines)],
        repeatRows=1,
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, HAIR),
                ("LINEBELOW", (0, 0), (-1, 0), 1, INK),
                *greys,
            ]
        ),
    )


def as_pdf(sheet: Sheet) -> bytes:
    """The bytes of the file. Laid out twice, so that each page says of how many it is."""
    pages = laid_out(sheet, "")[1]
    return laid_out(sheet, f" / {pages}")[0]


def laid_out(sheet: Sheet, of: str) -> tuple[bytes, int]:
    content = BytesIO()
    document = SimpleDocTemplate(
        content,
        pagesize=A4,
        title=sheet.title,
        lang="fr",
        **dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN),
    )

    def number(canvas: Any, document: Any) -> None:
        canvas.setFont(FONT, 8)
        canvas.setFillColor(GREY)
        said = drawable(f"{sheet.title} · {_('page')} {document.page}{of}")
        canvas.drawString(MARGIN, MARGIN / 2, said)

    document.build(story(sheet), onFirstPage=number, onLaterPages=number)
    return content.getvalue(), document.page

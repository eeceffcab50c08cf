"""A file, handed out by a view that has asked who may read it: a kept one, or one made now."""

from collections.abc import Iterable, Sequence

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from club.domain.journal import csv_row
from club.kernel.private import sort_of


def as_download(file: FieldFile) -> FileResponse:
    """To keep and not to run: its type is what its bytes say, and no browser guesses another."""
    if not file:
        raise Http404
    try:
        content = file.open("rb")
    except OSError:
        raise Http404 from None
    sort = sort_of(content.read(16)) or "application/octet-stream"
    content.seek(0)
    response = FileResponse(content, as_attachment=True, content_type=sort)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def as_pdf_file(content: bytes, name: str) -> HttpResponse:
    """A file that was made just now, to read or to print."""
    response = HttpResponse(content, content_type="application/pdf")
    said = content_disposition_header(as_attachment=False, filename=f"{slugify(name)}.pdf")
    response["Content-Disposition"] = said or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def as_csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> HttpResponse:
    """For a spreadsheet in French: the mark says UTF-8. Who calls has made text `plain`."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("\ufeff" + csv_row(*heads))
    response.writelines(csv_row(*row) for row in rows)
    return response

"""Where files lie that no address leads to: papers, photos of a home, signatures."""

from django.core.files.storage import Storage, storages


def private_storage() -> Storage:
    return storages["private"]


STARTS: dict[bytes, str] = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}


def sort_of(head: bytes) -> str | None:
    """The media type that the first bytes say; None for any other."""
    return next((sort for start, sort in STARTS.items() if head.startswith(start)), None)

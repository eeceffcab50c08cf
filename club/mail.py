"""Where e-mails go on a machine without a mail server: files that can be asked."""

import os
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend

END = b"\n" + b"-" * 79 + b"\n"


class FileBackend(EmailBackend):
    """Django's backend that writes files, and that knows which messages it holds.

    A sender that was killed leaves one message of which nobody knows whether it
    left. Files can tell, so nothing is written twice; a mail server cannot.
    """

    file_path: str

    def holds(self, message_id: str) -> bool:
        """Whether a message of that name was written to its end."""
        for file in Path(self.file_path).glob("*.log"):
            _, found, after = file.read_bytes().partition(message_id.encode())
            if found and END in after:
                return True
        return False

    def _get_filename(self) -> str:
        """Two processes never write one file."""
        name = Path(super()._get_filename())  # type: ignore[misc]
        return str(name.with_name(f"{name.stem}-{os.getpid()}.log"))


def forget_letters(addresses: Iterable[str]) -> None:
    """Take the messages to these addresses out of the files; the others stay."""
    words = [address.encode().lower() for address in addresses]
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if not folder or not words:
        return
    for file in Path(folder).glob("*.log"):
        letters = file.read_bytes().split(END)
        kept = [one for one in letters if not any(word in one.lower() for word in words)]
        if not any(one.strip() for one in kept):
            file.unlink(missing_ok=True)
        elif kept != letters:
            file.write_bytes(END.join(kept))

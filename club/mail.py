"""Where e-mails go on a machine without a mail server: files that can be asked."""

import os
from pathlib import Path

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

"""A document's own checksum, within it: one flipped character of a number is noticed."""

import errno
import hashlib
import os
import re
from pathlib import Path

from invcore.configs.documents import LARGEST_RECORD

_SEAL = re.compile(rb',\n "checksum": "([0-9a-f]{64})"\n}\s*\Z')


def sealed(text: bytes) -> bytes:
    r"""A JSON object's text, indented by one, with the SHA-256 of that text as its last entry.

    Raises:
        ValueError: it does not end as such an object does.

    Example:
        >>> text = b'{\n "value": 1.5\n}'
        >>> unsealed(sealed(text)) == (text, True)
        True
        >>> unsealed(sealed(text).replace(b"1.5", b"1.6"))[1]
        False
    """
    if not text.endswith(b"\n}"):
        raise ValueError("expected the text of an object with entries, indented")
    checksum = hashlib.sha256(text).hexdigest().encode()
    return text[:-2] + b',\n "checksum": "' + checksum + b'"\n}'


def unsealed(text: bytes) -> tuple[bytes, bool | None]:
    """The text without its checksum, and whether that is right; None where it has none."""
    found = _SEAL.search(text)
    if found is None:
        return text, None
    bare = text[: found.start()] + b"\n}"
    return bare, hashlib.sha256(bare).hexdigest().encode() == found[1]


def read_sealed_text(path: Path) -> tuple[bytes, bool | None]:
    """What `unsealed` gives of a file that may be anybody's.

    Raises:
        OSError: as `read_bytes` says.
    """
    return unsealed(read_bytes(path))


def read_bytes(path: Path, *, largest: int = LARGEST_RECORD) -> bytes:
    """A file that may be anybody's.

    Args:
        path: of the file.
        largest: most bytes.

    Raises:
        OSError: it cannot be read, is no file (a pipe would block), or is too large.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file", os.fspath(path))
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"larger than {largest / 2**20:g} MiB", os.fspath(path))
    return data

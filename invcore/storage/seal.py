"""A document's own checksum, within it: one flipped character of a number is noticed."""

import hashlib
import re

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

"""Base64url without padding, and only its canonical form (RFC 4648 section 5, RFC 7515 section 2)."""

from binascii import a2b_base64, b2a_base64
from typing import Final

from mapae.jose.errors import malformed

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# The characters of plain base64 become one that no alphabet has, so that only the URL-safe ones get through.
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/\0\0\0")
_PADDING: Final = (b"", b"===", b"==", b"=")
# RFC 4648 section 3.5: bits that stand for nothing must be zero, else one value has several spellings.
_LAST: Final = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")


def encode(data: bytes) -> str:
    """`data` in base64url, without padding."""
    return b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def decode(text: str | bytes) -> bytes:
    """The bytes that `text` is the canonical base64url form of.

    Raises:
        JoseError: MALFORMED on any other alphabet, padding, white space, impossible length, or
            unused bits that are not zero.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        remainder = len(raw) & 3
        data = a2b_base64(raw.translate(_FROM_URL) + _PADDING[remainder], strict_mode=True)
    except ValueError:
        raise malformed("not base64url") from None
    if remainder and raw[-1] not in _LAST[remainder]:
        raise malformed("not canonical base64url: unused bits are set")
    return data

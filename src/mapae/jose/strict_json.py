"""JSON objects that mean one thing only (RFC 8259, I-JSON of RFC 7493)."""

import json
import re
from collections.abc import Mapping
from math import isinf
from typing import Any, Final, NoReturn

from mapae.jose.errors import malformed

_MAX_INTEGER_LENGTH: Final = 20  # any 64-bit integer with its sign
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS: Final = re.compile(r"[\[\]{}]")


def parse_object(raw: bytes | str, *, max_depth: int = 16) -> dict[str, Any]:
    """The JSON object that `raw` is.

    Args:
        raw: UTF-8, or the text itself
        max_depth: how many brackets may be open at once
    Raises:
        JoseError: MALFORMED when it is no object, not UTF-8, begins with a byte order mark, names a
            member twice, nests too deep, holds NaN, an infinity, an integer of more than 20
            characters, a number beyond a double, or half a surrogate pair.

    Does not check: how long `raw` is.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        if text.count("{") + text.count("[") > max_depth and _depth(text) > max_depth:
            raise malformed("JSON nests too deep")
        text = text.strip(" \t\n\r")
        value, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise malformed("something follows the JSON value")
        if isinstance(raw, str) or "\\" in text:
            _ENCODER.encode(value).encode()  # fails on half a surrogate pair
    except ValueError:
        raise malformed("not strict JSON") from None
    if not isinstance(value, dict):
        raise malformed("not a JSON object")
    return value


def dump(mapping: Mapping[str, Any]) -> bytes:
    """`mapping` as compact JSON in UTF-8, members in their order.

    Raises:
        ValueError, TypeError: when JSON has no form for a value; the caller's mistake.
    """
    return _ENCODER.encode(mapping).encode()


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _integer(digits: str) -> int:
    # Before int(): its cost grows with the square of the length.
    if len(digits) > _MAX_INTEGER_LENGTH:
        raise ValueError("an integer is too long")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise ValueError("a number is out of range")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_refuse
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

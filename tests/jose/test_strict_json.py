"""strict_json.py: objects that every parser reads alike, and nothing that hurts."""

from typing import Any

import pytest

from mapae.jose import strict_json
from mapae.jose.errors import JoseErrorCode
from tests.jose.forge import refusal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (' \r\n\t{ "a" : 1 }\n', {"a": 1}),
        ('{"a":{"a":[{"a":null}]}}', {"a": {"a": [{"a": None}]}}),
        ('{"é":"\\u00e9\\ud83d\\ude00"}', {"é": "é😀"}),
        ('{"a":"[[[[[[[[[[[[[[[[[[[[\\"{{{{{{"}', {"a": '[[[[[[[[[[[[[[[[[[[["{{{{{{'}),
        ('{"a":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}', {"a": [[]] * 18}),
        ('{"a":-9223372036854775808,"b":18446744073709551615}', {"a": -(2**63), "b": 2**64 - 1}),
        ('{"a":1.5e3,"b":1e308}', {"a": 1500.0, "b": 1e308}),
    ],
)
def test_an_object_is_read(text: str, value: dict[str, Any]) -> None:
    assert strict_json.parse_object(text) == strict_json.parse_object(text.encode()) == value


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(raw, id=name)
        for name, raw in {
            "empty": b"",
            "blank": b"  ",
            "array": b"[]",
            "string": b'"a"',
            "number": b"1",
            "true": b"true",
            "null": b"null",
            "cut off": b'{"a":1',
            "two values": b"{}{}",
            "trailing comma": b'{"a":1,}',
            "comment": b"{}//",
            "form feed around": b"\x0c{}",
            "no-break space around": "\u00a0{}".encode(),
            "single quotes": b"{'a':1}",
            "control character in a string": b'{"a":"\x00"}',
            "byte order mark": b"\xef\xbb\xbf{}",
            "UTF-16": '{"a":1}'.encode("utf-16"),
            "UTF-32": '{"a":1}'.encode("utf-32-le"),
            "overlong UTF-8": b'{"a":"\xc0\xaf"}',
            "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
            "invalid UTF-8": b'{"a":"\xff"}',
            "half a surrogate pair in a value": rb'{"a":"\ud800"}',
            "half a surrogate pair in a name": rb'{"\udc00":1}',
            "half a surrogate pair, capitals": rb'{"a":["\uDBFF"]}',
            "surrogates the wrong way round": rb'{"a":"\ude00\ud83d"}',
            "name twice": b'{"a":1,"a":1}',
            "name twice, escaped": rb'{"a":1,"\u0061":2}',
            "name twice, deep": b'{"a":[{"b":{"c":1,"c":2}}]}',
            "NaN": b'{"a":NaN}',
            "Infinity": b'{"a":Infinity}',
            "-Infinity": b'{"a":-Infinity}',
            "beyond a double": b'{"a":1e400}',
            "below a double": b'{"a":-1e400}',
            "21 digits": b'{"a":' + b"1" * 21 + b"}",
            "100,000 digits": b'{"a":' + b"1" * 100_000 + b"}",
            "a fraction beyond a double": b'{"a":' + b"1" * 400 + b".0}",
            "leading zero": b'{"a":01}',
            "100,000 arrays": b'{"a":' + b"[" * 100_000,
            "100,000 arrays, closed": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "100,000 objects": b'{"a":' * 100_000,
            "100,000 objects, closed": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            "one too deep": b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
            "quotes without end": b'{"a":[[[[[[[[[[[[[[[[[' + b'"\\' * 50_000,
        }.items()
    ],
)
def test_anything_else_is_refused(raw: bytes) -> None:
    assert refusal(strict_json.parse_object, raw) == JoseErrorCode.MALFORMED


def test_half_a_surrogate_pair_in_a_str_is_refused() -> None:
    assert refusal(strict_json.parse_object, '{"a":"\ud800"}') == JoseErrorCode.MALFORMED


def test_the_depth_is_the_callers_to_choose() -> None:
    text = '{"a":' + "[" * 3 + "]" * 3 + "}"
    assert strict_json.parse_object(text, max_depth=4) == {"a": [[[]]]}
    assert refusal(strict_json.parse_object, text, max_depth=3) == JoseErrorCode.MALFORMED


def test_dump_is_compact_keeps_the_order_and_writes_utf_8() -> None:
    assert strict_json.dump({"b": [1, "é"], "a": {"c": None}}) == '{"b":[1,"é"],"a":{"c":null}}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_dump_refuses_what_parse_object_would_refuse(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whichever of its kinds
        strict_json.dump({"a": value})

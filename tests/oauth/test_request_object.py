"""Request objects: refused, in the way and with the state that they ask for."""

import json

import pytest

from mapae.jose import base64url
from mapae.oauth.authorization_request import reply_to
from mapae.oauth.authorization_response import ReplyTo, ResponseMode
from mapae.oauth.parameters import Parameters
from mapae.oauth.request_object import answered_by

CALLBACK = "https://app.example.com/callback"


def unsigned(payload: str) -> str:
    return ".".join(base64url.encode(part.encode()) for part in ('{"alg":"none"}', payload)) + "."


@pytest.mark.parametrize(
    ("payload", "read"),
    [
        (
            '{"response_mode":"form_post","state":"a state","redirect_uri":"https://evil.example"}',
            {"response_mode": "form_post", "state": "a state"},
        ),
        ('{"state":"\\u00e9"}', {"state": "é"}),
        ('{"state":7,"response_mode":["form_post"]}', {}),
        ('{"state":""}', {}),
        ('{"state":"\\ud800"}', {}),
        ('{"state":"a","state":"b"}', {}),
        ("[]", {}),
        ("", {}),
    ],
)
def test_what_it_says_of_the_answer_is_read_and_nothing_else(payload: str, read: dict[str, str]) -> None:
    assert answered_by(unsigned(payload)) == read


@pytest.mark.parametrize("text", ["", "a.b.c", "e30.e30.e30.e30.e30", "é.e30."])
def test_what_is_no_request_object_says_nothing(text: str) -> None:
    assert answered_by(text) == {}


def reply(**parameters: str) -> ReplyTo:
    sent = {"response_type": "code", **parameters}
    return reply_to(Parameters.of(sent.items()), CALLBACK)


def test_the_refusal_goes_where_the_object_says() -> None:
    request = unsigned(
        json.dumps({"response_mode": "form_post", "state": "within", "redirect_uri": "https://x"})
    )
    assert reply(request=request) == ReplyTo(CALLBACK, ResponseMode.FORM_POST, "within")
    assert reply(request="nothing of the kind") == ReplyTo(CALLBACK, ResponseMode.QUERY, None)


def test_what_stands_beside_the_object_goes_before_it() -> None:
    request = unsigned(json.dumps({"response_mode": "form_post", "state": "within"}))
    beside = {"response_mode": "query", "state": "beside"}
    assert reply(request=request, **beside) == ReplyTo(CALLBACK, ResponseMode.QUERY, "beside")

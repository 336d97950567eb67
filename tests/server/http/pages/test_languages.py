"""Which language a reader gets, and how they change it."""

from urllib.parse import parse_qs, quote

import pytest

from mapae.server.http.cookies import Cookies
from mapae.server.http.pages.languages import Languages, load_languages
from mapae.server.http.pages.rendering import Pages
from tests.server.http.pages.contexts import contexts
from tests.server.http.pages.requests import asked

LANGUAGES = Languages(load_languages(), Cookies(https=True))
COOKIE = "__Host-mapae-language"
IN_KOREAN = "/oauth/authorize?client_id=web&ui_locales=fr+ko-KR"


@pytest.mark.parametrize(
    ("query", "headers", "return_to", "tag"),
    [
        ("", {}, None, "en"),
        ("", {"accept_language": "ko"}, None, "ko"),
        ("", {"accept_language": "ko-KR,ko;q=0.9,en;q=0.8"}, None, "ko"),
        ("", {"accept_language": "en;q=0.8, KO"}, None, "ko"),
        ("", {"accept_language": "fr, ko;q=0.3, en;q=0.2"}, None, "ko"),
        ("", {"accept_language": "ko;q=0, fr"}, None, "en"),
        ("", {"accept_language": "*"}, None, "en"),
        ("", {"accept_language": ";q=9,,ko;q=x;;"}, None, "ko"),
        ("ui_locales=fr%20ko", {"accept_language": "en"}, None, "ko"),
        ("", {"accept_language": "en"}, IN_KOREAN, "ko"),
        ("", {"cookie": f"{COOKIE}=en"}, IN_KOREAN, "en"),
        ("lang=ko", {"cookie": f"{COOKIE}=en", "accept_language": "en"}, None, "ko"),
        ("lang=xx", {"accept_language": "ko"}, None, "ko"),
        ("lang=../en", {"cookie": f"{COOKIE}=%00"}, None, "en"),
    ],
)
def test_a_choice_goes_before_the_client_and_the_client_before_the_browser(
    query: str, headers: dict[str, str], return_to: str | None, tag: str
) -> None:
    assert LANGUAGES.of(asked(query, **headers), return_to).tag == tag


def test_the_switch_leads_to_the_same_page_in_the_other_language() -> None:
    request = asked("return_to=%2Foauth%2Fauthorize%3Fa%3D1%26b%3D2&lang=en")
    english, korean = LANGUAGES.switches(request, None)
    assert (english.href, korean.language.name) == (None, "한국어")
    assert parse_qs((korean.href or "").removeprefix("?")) == {
        "return_to": ["/oauth/authorize?a=1&b=2"],
        "lang": ["ko"],
    }


def test_the_page_that_answers_a_form_is_found_again_by_where_it_returns() -> None:
    _, korean = LANGUAGES.switches(asked(method="POST"), "/oauth/authorize?a=1")
    assert korean.href == f"?return_to={quote('/oauth/authorize?a=1', safe='')}&lang=ko"
    assert LANGUAGES.switches(asked(method="POST"), None) == []


@pytest.mark.parametrize(
    ("issuer", "cookie"),
    [
        (
            "https://auth.example.com",
            f"{COOKIE}=ko; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax; Secure",
        ),
        ("http://localhost:8000", "mapae-language=ko; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax"),
    ],
)
def test_a_choice_is_kept_by_the_browser(issuer: str, cookie: str) -> None:
    context = contexts()["error.html"]
    assert Pages(issuer).answer(asked("lang=ko"), "error.html", **context).headers["set-cookie"] == cookie


@pytest.mark.parametrize("query", ["", "lang=xx", "lang=ko%0d%0aSet-Cookie:a=b", "ui_locales=ko"])
def test_what_is_no_choice_is_not_kept(query: str) -> None:
    answer = Pages("https://a.example").answer(asked(query), "error.html", **contexts()["error.html"])
    assert "set-cookie" not in answer.headers

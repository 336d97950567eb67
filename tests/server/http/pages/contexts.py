"""What each page may be shown with; the strings are those of an attacker where `HOSTILE` is asked for."""

from typing import Any, Final

HOSTILE: Final = """"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}' onfocus='alert(3)"""


def contexts(text: str = "Orders & more") -> dict[str, dict[str, Any]]:
    """The members of each template, with `text` wherever somebody else chooses the words."""
    return_to = f"/oauth/authorize?client_id=web&state={text}"
    client = {
        "name": text,
        "uri": "https://app.example.com",
        "policy_uri": "https://app.example.com/privacy",
        "tos_uri": None,
        "redirect_host": "app.example.com",
        "native": True,
    }
    scopes = [{"name": "openid"}, {"name": "offline_access"}, {"name": text}]
    return {
        "login.html": {
            "csrf": "c",
            "return_to": return_to,
            "client_name": text,
            "client_uri": "https://app.example.com",
            "username": text,
            "problem": "too_many_attempts",
            "retry_after_s": 90,
        },
        "consent.html": {
            "csrf": "c", "return_to": return_to, "client": client, "username": text, "scopes": scopes,
        },
        "error.html": {"code": "invalid_request", "words": text, "incident": text},
        "logout.html": {"csrf": "c", "client_name": text, "username": text, "fields": {"state": text}},
        "signed_in.html": {"username": text},
        "signed_out.html": {"client_name": text, "continue_to": "https://app.example.com/bye"},
        "form_post.html": {"action": "https://app.example.com/callback", "fields": {"state": text, "code": "c"}},
    }  # fmt: skip

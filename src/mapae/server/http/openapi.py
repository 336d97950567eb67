"""The OpenAPI 3.1 document of every endpoint for machines: paths here, what they exchange in `openapi_schemas`.

Pages for people (`/login`, `/consent`, the pages of `/oauth/authorize` and `/oauth/logout`) are described as far as a
client sends the browser there.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from mapae.oauth.token_request import GRANT_TYPES
from mapae.server.http.openapi_schemas import SCHEMAS, array, form, members, ref, text

_Members = Mapping[str, Any]

_BEARER: Final[Sequence[_Members]] = [{"bearer": []}]
_CLIENT: Final[Sequence[_Members]] = [{"client": []}, {}]
_PROOF: Final = {
    "client_id": text("The client, where it is not named in the header."),
    "client_secret": text("For client_secret_post."),
    "client_assertion": text("For private_key_jwt (RFC 7523)."),
    "client_assertion_type": text("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
}
_OF_CLIENT: Final[Sequence[_Members]] = [
    {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,86}$"},
    }
    for name, description in (
        ("Mapae-Instance", "Which installation of the client this is."),
        ("Mapae-Attempt", "Which try of a refresh this is."),
    )
]


def document(issuer: str) -> dict[str, Any]:
    """The document of the server at `issuer`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mapae",
            "version": version("mapae"),
            "description": "Sessions, OAuth 2.1 and OpenID Connect.",
        },
        "servers": [{"url": issuer}],
        "paths": {**_SESSIONS, **_OAUTH, **_BROWSER, **_PUBLIC, **_OPERATIONS},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "client": {"type": "http", "scheme": "basic", "description": "client_secret_basic"},
            },
        },
    }


def _json(schema: _Members, description: str = "Done.", media_type: str = "application/json") -> _Members:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problems(*statuses: int) -> _Members:
    problem = _json(ref("Problem"), "Refused; `code` says why.", "application/problem+json")
    return {str(status): problem for status in (*statuses, 503)}


def _oauth_errors(*statuses: int) -> _Members:
    error = _json(ref("OAuthError"), "Refused; `error` says why.")
    return {str(status): error for status in (400, *statuses, 408, 413, 429, 503)}


def _of_form_or_token(*statuses: int) -> _Members:
    """Refusals of a form that may hold an access token: by RFC 6749 for the one, as a problem for the other."""
    either = _problems()["503"]["content"] | _oauth_errors()["503"]["content"]
    return {str(status): {"description": "Refused.", "content": either} for status in statuses}


def _operation(
    summary: str,
    answers: _Members,
    *,
    takes: _Members | None = None,
    security: Sequence[_Members] = (),
    parameters: Sequence[_Members] = (),
) -> _Members:
    operation = {"summary": summary, "security": list(security), "responses": dict(answers)}
    if parameters:
        operation["parameters"] = list(parameters)
    return operation | ({} if takes is None else {"requestBody": takes})


def _takes(schema: _Members, *, required: bool = True) -> _Members:
    """A JSON body. A member that need not be there may also be null."""
    properties = {
        name: one if name in schema["required"] else {**one, "type": [one["type"], "null"]}
        for name, one in schema["properties"].items()
    }
    nullable = {**schema, "properties": properties}
    return {"required": required, "content": {"application/json": {"schema": nullable}}}


_NO_CONTENT: Final = {"204": {"description": "Done."}}
_BAD_BODY: Final = (400, 401, 403, 408, 413, 415)

_SESSIONS: Final = {
    "/auth/login": {
        "post": _operation(
            "User name and password for tokens.",
            {"200": _json(ref("Tokens")), **_problems(*_BAD_BODY, 429)},
            takes=_takes(
                members(
                    {
                        "username": text("Compared without regard to case."),
                        "password": text("1,024 characters at most."),
                        "scope": text("What the token shall be good for, with spaces between."),
                        "device_name": text("What the user will read in the list of sessions."),
                        "client_id": text("Only `mapae`."),
                    },
                    required=("username", "password"),
                )
            ),
            parameters=_OF_CLIENT,
        )
    },
    "/auth/refresh": {
        "post": _operation(
            "A refresh token for the next pair.",
            {"200": _json(ref("Tokens")), **_problems(*_BAD_BODY)},
            takes=_takes(
                members({"refresh_token": text("The one stored last.")}, required=("refresh_token",))
            ),
            parameters=_OF_CLIENT,
        )
    },
    "/auth/logout": {
        "post": _operation(
            "End this session, the others, or all.",
            {**_NO_CONTENT, **_problems(*_BAD_BODY)},
            takes=_takes(
                members({"refresh_token": text("In place of Bearer."), "scope": text("this, others or all")}),
                required=False,
            ),
            security=[*_BEARER, {}],
            parameters=_OF_CLIENT,
        )
    },
    "/auth/password": {
        "post": _operation(
            "Another password; the user's other sessions end.",
            {**_NO_CONTENT, **_problems(*_BAD_BODY, 429)},
            takes=_takes(
                members(
                    {"current_password": text("As it is."), "new_password": text("As it shall be.")},
                    required=("current_password", "new_password"),
                )
            ),
            security=_BEARER,
            parameters=_OF_CLIENT,
        )
    },
    "/auth/me": {
        "get": _operation(
            "Who the token says you are.",
            {"200": _json(ref("Claims")), **_problems(400, 401)},
            security=_BEARER,
        )
    },
    "/auth/sessions": {
        "get": _operation(
            "Your live sessions, newest first.",
            {
                "200": _json(members({"sessions": array(ref("Session"))}, required=("sessions",))),
                **_problems(400, 401, 403),
            },
            security=_BEARER,
        )
    },
    "/auth/sessions/{id}": {
        "delete": _operation(
            "End one of your sessions.",
            {**_NO_CONTENT, **_problems(400, 401, 403, 404)},
            security=_BEARER,
            parameters=[
                {"name": "id", "in": "path", "required": True, "schema": text("The id of a session.")},
                *_OF_CLIENT,
            ],
        )
    },
}

_TOKEN: Final = {
    **_PROOF,
    "grant_type": {"type": "string", "examples": list(GRANT_TYPES)},
    "code": text("For authorization_code."),
    "redirect_uri": text("That of the authorization request."),
    "code_verifier": text("That of the authorization request (RFC 7636)."),
    "refresh_token": text("For refresh_token."),
    "scope": text("What is asked for, with spaces between."),
    "resource": text("The API that the token is for (RFC 8707)."),
}
_ONE_TOKEN: Final = {
    **_PROOF,
    "token": text("The token in question."),
    "token_type_hint": text("Taken, and not needed."),
}
_USERINFO_ANSWERS: Final = {
    "200": _json(ref("Claims")),
    **{status: error for status, error in _oauth_errors().items() if status != "429"},
    **{status: problem for status, problem in _problems(401, 403).items() if status != "503"},
    # A form that is none is an OAuth error; a token that is none, a problem.
    "400": {
        "description": "Refused.",
        "content": {
            "application/json": {"schema": ref("OAuthError")},
            "application/problem+json": {"schema": ref("Problem")},
        },
    },
}

_OAUTH: Final = {
    "/oauth/token": {
        "post": _operation(
            "A grant for tokens (RFC 6749 section 3.2).",
            {"200": _json(ref("TokenResponse")), **_oauth_errors(401)},
            takes=form(_TOKEN, required=("grant_type",)),
            security=_CLIENT,
            parameters=_OF_CLIENT,
        )
    },
    "/oauth/introspect": {
        "post": _operation(
            "Whether a token stands (RFC 7662).",
            {"200": _json(ref("Introspection")), **_oauth_errors(401)},
            takes=form(_ONE_TOKEN, required=("token",)),
            security=_CLIENT,
            parameters=_OF_CLIENT,
        )
    },
    "/oauth/revoke": {
        "post": _operation(
            "Give a token back (RFC 7009).",
            {"200": {"description": "It is dead, whatever it was."}, **_oauth_errors(401)},
            takes=form(_ONE_TOKEN, required=("token",)),
            security=_CLIENT,
            parameters=_OF_CLIENT,
        )
    },
    "/oauth/userinfo": {
        "get": _operation(
            "The claims about the user (OpenID Connect Core section 5.3).",
            _USERINFO_ANSWERS,
            security=_BEARER,
        ),
        "post": _operation(
            "The same; the token may stand in the form.",
            {**_USERINFO_ANSWERS, **_of_form_or_token(400, 408, 413)},
            takes=form({"access_token": text("In place of the header.")}, optional=True),
            security=[*_BEARER, {}],
        ),
    },
}

_PAGE: Final = {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}
_ELSEWHERE: Final = {
    "description": "The browser goes on.",
    "headers": {"Location": {"schema": {"type": "string"}}},
}
_PAGES: Final = {"200": _PAGE, "303": _ELSEWHERE} | {
    str(status): _PAGE for status in (400, 403, 408, 413, 429, 503)
}
_AUTHORIZATION: Final = {
    "client_id": text("Who asks."),
    "redirect_uri": text("Where the answer goes."),
    "response_type": text("code"),
    "response_mode": text("query, fragment or form_post"),
    "scope": text("What is asked for."),
    "state": text("Comes back as it is."),
    "nonce": text("Comes back in the ID token."),
    "code_challenge": text("RFC 7636."),
    "code_challenge_method": text("S256"),
    "resource": text("The API that the token is for (RFC 8707)."),
    "prompt": text("none, login, consent, select_account"),
    "max_age": text("Seconds."),
    "id_token_hint": text("Who is expected."),
    "login_hint": text("What the page proposes."),
    "claims": text("Single claims, as JSON."),
    "ui_locales": text("The language of the pages."),
}
_LOGOUT: Final = {
    "id_token_hint": text("Who shall be signed out."),
    "client_id": text("Who asks."),
    "post_logout_redirect_uri": text("Where the browser goes then."),
    "state": text("Goes with it."),
    "ui_locales": text("The language of the pages."),
}


def _for_browsers(summary: str, parameters: _Members) -> _Members:
    query = [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]
    return {
        "get": _operation(summary, _PAGES, parameters=query),
        "post": _operation("The same as a form.", _PAGES, takes=form(parameters)),
    }


_BROWSER: Final = {
    "/oauth/authorize": _for_browsers(
        "Where a browser asks for a code (RFC 6749 section 3.1).", _AUTHORIZATION
    ),
    "/oauth/logout": _for_browsers(
        "Where a browser signs out (OpenID Connect RP-Initiated Logout).", _LOGOUT
    ),
}

_NOT_MODIFIED: Final = {"304": {"description": "As it was."}}
_PUBLIC: Final = {
    path: {"get": _operation(summary, {"200": _json(schema), **_NOT_MODIFIED, **_problems()})}
    for path, summary, schema in (
        ("/.well-known/jwks.json", "The keys that tokens are signed with (RFC 7517).", ref("JwkSet")),
        ("/.well-known/oauth-authorization-server", "What this issuer can do (RFC 8414).", ref("Metadata")),
        ("/.well-known/openid-configuration", "The same, for OpenID Connect.", ref("Metadata")),
        ("/openapi.json", "This document.", {"type": "object"}),
    )
}

_OPERATIONS: Final = {
    "/health/live": {"get": _operation("The process answers.", {"200": _json(ref("Health"))})},
    "/health/ready": {
        "get": _operation(
            "The database answers too.",
            {"200": _json(ref("Health")), "503": _json(ref("Health"), "What is missing.")},
        )
    },
    "/metrics": {
        "get": _operation(
            "The numbers, for Prometheus.",
            {
                "200": {
                    "description": "Text format 0.0.4.",
                    "content": {"text/plain; version=0.0.4; charset=utf-8": {"schema": {"type": "string"}}},
                },
                **_problems(404),
            },
        )
    },
}

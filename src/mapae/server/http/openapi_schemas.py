"""What the endpoints exchange, as JSON Schema (2020-12) for the OpenAPI document."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from mapae.oauth.errors import ErrorCode
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.sessions import EndReason

Schema = Mapping[str, Any]


def text(description: str) -> Schema:
    """A string."""
    return {"type": "string", "description": description}


def integer(description: str) -> Schema:
    """A whole number."""
    return {"type": "integer", "description": description}


def array(items: Schema) -> Schema:
    """Any number of the same."""
    return {"type": "array", "items": items}


def members(properties: Mapping[str, Schema], *, required: Collection[str] = ()) -> Schema:
    """An object."""
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def ref(name: str) -> Schema:
    """One of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def form(
    properties: Mapping[str, Schema], *, required: Collection[str] = (), optional: bool = False
) -> Schema:
    """A body that is a form."""
    schema = members(properties, required=required)
    return {
        "required": not optional,
        "content": {"application/x-www-form-urlencoded": {"schema": schema}},
    }


_MOMENT: Final = integer("Seconds since 1970.")
_ACCESS: Final = {
    "access_token": text("A JWT (RFC 9068)."),
    "token_type": {"const": "Bearer"},
    "expires_in": integer("Seconds."),
    "scope": text("What it is good for."),
}
_SESSION_TOKENS: Final = {
    "refresh_token": text("Renews both."),
    "refresh_expires_in": integer("Seconds to the absolute end of the session."),
    "session_id": text("The session."),
}
_CLAIMS: Final = {
    "sub": text("The user, or the client itself."),
    "client_id": text("Whom the token was issued to."),
    "sid": text("The session."),
    "scope": text("What the token is good for."),
    "roles": array({"type": "string"}),
    "iat": _MOMENT,
    "exp": _MOMENT,
    "auth_time": _MOMENT,
}
_ENDED: Final = {"reason": {"enum": [reason.value for reason in EndReason]}, "ended_at": _MOMENT}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Problem": members(
        {
            "type": {"const": "about:blank"},
            "title": text("The words of the code."),
            "status": integer("That of the answer."),
            "detail": text("What is wrong."),
            "code": {"enum": [code.value for code in ProblemCode]},
            "incident": text("Where the log has the rest."),
            **_ENDED,
        },
        required=("type", "title", "status", "detail", "code"),
    ),
    "OAuthError": members(
        {
            "error": {"enum": [code.value for code in ErrorCode]},
            "error_description": text("What is wrong."),
            **_ENDED,
        },
        required=("error", "error_description"),
    ),
    "Tokens": members({**_ACCESS, **_SESSION_TOKENS}, required=(*_ACCESS, *_SESSION_TOKENS)),
    "TokenResponse": members(
        {**_ACCESS, **_SESSION_TOKENS, "id_token": text("A JWT (OpenID Connect Core section 2).")},
        required=("access_token", "token_type", "expires_in"),
    ),
    "Introspection": members({"active": {"type": "boolean"}, **_CLAIMS}, required=("active",)),
    "Claims": members(_CLAIMS, required=("sub",)),
    "Session": members(
        {
            "id": text("Its id."),
            "device_name": {"type": ["string", "null"]},
            "client_id": text("Who began it."),
            "created_at": _MOMENT,
            "last_used_at": integer("Rounded to the hour."),
            "address": {"type": ["string", "null"]},
            "user_agent": {"type": ["string", "null"]},
            "current": {"type": "boolean"},
        },
        required=("id", "client_id", "created_at", "last_used_at", "current"),
    ),
    "JwkSet": members({"keys": array({"type": "object"})}, required=("keys",)),
    "Metadata": members(
        {
            name: text("An address.")
            for name in ("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint")
        },
        required=("issuer", "jwks_uri"),
    ),
    "Health": members({"status": {"enum": ["live", "ready", "not_ready"]}}, required=("status",)),
}

"""What is asked of the token endpoint: one grant type, and its parameters (RFC 6749 sections 4.1.3, 4.4.2 and 6)."""

from dataclasses import dataclass
from typing import ClassVar, Final

from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.form import Form
from mapae.oauth.scope import Scope
from mapae.secret import Secret


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A code for tokens. `redirect_uri` and `verifier` as the authorization request began them (RFC 7636)."""

    grant_type: ClassVar[str] = "authorization_code"
    code: Secret
    redirect_uri: str | None
    verifier: Secret | None
    resource: str | None


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A refresh token for the next pair. `scope` is None for all that was granted."""

    grant_type: ClassVar[str] = "refresh_token"
    refresh_token: Secret
    scope: Scope | None
    resource: str | None


@dataclass(frozen=True, slots=True)
class ClientCredentialsRequest:
    """A token for the client itself. `scope` is None where nothing was asked."""

    grant_type: ClassVar[str] = "client_credentials"
    scope: Scope | None
    resource: str | None


TokenRequest = CodeRequest | RefreshRequest | ClientCredentialsRequest


def parse_token_request(form: Form) -> TokenRequest:
    """The request in a form.

    Raises:
        OAuthError: INVALID_REQUEST when a parameter is missing, UNSUPPORTED_GRANT_TYPE, INVALID_SCOPE, INVALID_TARGET
            when more than one resource is named: a token has one audience.

    Does not check: the client, and whether it may use this grant type.
    """
    grant_type = form.text("grant_type")
    if grant_type == CodeRequest.grant_type:
        return CodeRequest(
            Secret(form.text("code")),
            form.get("redirect_uri"),
            _secret(form.get("code_verifier")),
            _resource(form),
        )
    if grant_type == RefreshRequest.grant_type:
        return RefreshRequest(Secret(form.text("refresh_token")), _scope(form), _resource(form))
    if grant_type == ClientCredentialsRequest.grant_type:
        return ClientCredentialsRequest(_scope(form), _resource(form))
    raise OAuthError(ErrorCode.UNSUPPORTED_GRANT_TYPE)


#: What `parse_token_request` knows.
GRANT_TYPES: Final = (
    CodeRequest.grant_type, RefreshRequest.grant_type, ClientCredentialsRequest.grant_type,
)  # fmt: skip


def _secret(value: str | None) -> Secret | None:
    return None if value is None else Secret(value)


def _scope(form: Form) -> Scope | None:
    text = form.get("scope")
    return None if text is None else Scope.parse(text)


def _resource(form: Form) -> str | None:
    if len(form.resources) > 1:
        raise OAuthError(ErrorCode.INVALID_TARGET, detail="more than one resource")
    return form.resources[0] if form.resources else None

"""The request to sign a user out (OpenID Connect RP-Initiated Logout 1.0 section 2)."""

from dataclasses import dataclass
from typing import Self

from mapae.jose.jwks import JwkSet
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.id_token_hint import read_id_token_hint
from mapae.oauth.parameters import Parameters


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """Who asks, for which session, and where the browser shall go then; each of it may be left out.

    `session_id` is that of the `id_token_hint`. `logout_hint` is not looked at; `ui_locales` is for the page.
    """

    client_id: str | None = None
    session_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None

    @classmethod
    def parse(cls, parameters: Parameters, keys: JwkSet, *, issuer: str) -> Self:
        """The request of these parameters.

        Raises:
            OAuthError: INVALID_REQUEST when one is repeated, the hint is no ID token of this issuer, or it was issued
                to another client than `client_id`.

        Does not check: that there is such a client, and that the address is registered for it.
        """
        client_id, token = parameters.one("client_id"), parameters.one("id_token_hint")
        hint = read_id_token_hint(token, keys, issuer=issuer) if token is not None else None
        # When both are present, the OP MUST verify that client_id is the one used when the ID Token was issued.
        if client_id is not None and hint is not None and hint.client_id != client_id:
            raise OAuthError(ErrorCode.INVALID_REQUEST, detail="client_id is not whom the hint was issued to")
        return cls(
            client_id=client_id or (hint.client_id if hint else None),
            session_id=hint.session_id if hint else None,
            post_logout_redirect_uri=parameters.one("post_logout_redirect_uri"),
            state=parameters.one("state"),
        )

"""Client metadata: what a client registers about itself (RFC 7591 section 2, OpenID Connect Registration)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mapae.oauth.scope import NO_SCOPE, Scope

#: How a client may authenticate at the token endpoint.
AUTH_METHODS: Final = ("none", "client_secret_basic", "client_secret_post", "private_key_jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """Members under their registered names; what is not said has the default of the standard.

    Three are ours. `require_pkce`: false only where the client authenticates itself. `skip_consent`: its users are
    not asked; for clients of the operator. `resource_server`: the audience this client speaks for, whose tokens
    it may introspect.
    """

    client_name: str | None = None
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105  # no password
    token_endpoint_auth_signing_alg: str | None = None
    scope: Scope = NO_SCOPE
    application_type: str = "web"
    subject_type: str = "public"
    sector_identifier_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"  # noqa: S105  # no password
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    default_max_age: int | None = None
    require_auth_time: bool = False
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    require_pkce: bool = True
    skip_consent: bool = False
    resource_server: str | None = None

    @property
    def is_confidential(self) -> bool:
        """Whether the client can prove who it is (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method != "none"  # noqa: S105  # no password

    @property
    def is_native(self) -> bool:
        """Whether it runs on the user's machine, where anybody can pose as it (RFC 8252 section 8.6)."""
        return self.application_type == "native"

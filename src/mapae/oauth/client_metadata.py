"""Client metadata: what a client registers about itself (RFC 7591 section 2, OpenID Connect Registration)."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from mapae.oauth import redirect_uri
from mapae.oauth.client_members import READERS, Wrong
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.oauth.scope import NO_SCOPE, Scope


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

    @classmethod
    def parse(cls, members: Mapping[str, Any]) -> Self:
        """The metadata in a JSON or TOML object; members of other names, and those that are null, count as absent.

        A client without `application_type` is native when all its redirect URIs are such as only native clients have;
        one without the grant type authorization_code has no response type unless it names one.

        Raises:
            OAuthError: INVALID_CLIENT_METADATA or INVALID_REDIRECT_URI; `description` begins with the member, says
                what is wrong with it, and quotes nothing.

        Implements: RFC 7591 section 2; OpenID Connect Registration 1.0 section 2, RP-Initiated Logout section 3.1,
            Back-Channel Logout section 2.2, Front-Channel Logout section 2.
        Does not check: that whatever `jwks_uri` and `sector_identifier_uri` name is there; that a resource server
            has the scopes; `client_id` and secrets.
        """
        read = {name: _read(name, members[name]) for name in MEMBERS if members.get(name) is not None}
        uris = read.get("redirect_uris", ())
        if "application_type" not in read and uris and all(map(redirect_uri.is_for_native_only, uris)):
            read["application_type"] = "native"
        if "response_types" not in read and "authorization_code" not in read.get("grant_types", _CODE_GRANT):
            read["response_types"] = ()
        metadata = cls(**read)
        _judge(metadata)
        return metadata

    @classmethod
    def kept(cls, members: Mapping[str, Any]) -> Self:
        """The metadata that `to_dict` printed. It was judged when it was parsed."""
        return cls(**{name: _restored(name, value) for name, value in members.items()})

    def to_dict(self) -> dict[str, Any]:
        """The members that are not as the standard has them where nothing is said, as JSON has them."""
        return {
            field.name: _printed(value)
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    @property
    def is_confidential(self) -> bool:
        """Whether the client can prove who it is (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method != "none"  # noqa: S105  # no password

    @property
    def has_secret(self) -> bool:
        """Whether it does so with a secret."""
        return self.token_endpoint_auth_method.startswith("client_secret_")

    @property
    def is_native(self) -> bool:
        """Whether it runs on the user's machine, where anybody can pose as it (RFC 8252 section 8.6)."""
        return self.application_type == "native"

    @property
    def sector(self) -> str | None:
        """The host that pairwise subjects are the same within (OpenID Connect Core section 8.1)."""
        if self.sector_identifier_uri is not None:
            return urlsplit(self.sector_identifier_uri).hostname
        hosts = {urlsplit(uri).hostname for uri in self.redirect_uris}
        return hosts.pop() if len(hosts) == 1 else None


#: The name of every member.
MEMBERS: Final = tuple(field.name for field in dataclasses.fields(ClientMetadata))
_CODE_GRANT: Final = ("authorization_code",)
_REDIRECT: Final = ErrorCode.INVALID_REDIRECT_URI


def _read(name: str, value: Any) -> Any:
    try:
        return READERS[name](value)
    except Wrong as wrong:
        raise _invalid(name, str(wrong)) from None


def _judge(client: ClientMetadata) -> None:
    """Check what members say of one another."""
    _judge_uris(client)
    _judge_grants(client)
    _judge_keys(client)
    if client.subject_type == "pairwise" and client.sector is None:
        raise _invalid(
            "sector_identifier_uri",
            "is missing: pairwise subjects need it unless all redirect URIs have one host",
        )
    if not client.require_pkce and not client.is_confidential:
        raise _invalid("require_pkce", "may be false only where the client authenticates itself")
    # RFC 8252 section 8.6: anybody can pose as a native client.
    if client.skip_consent and client.is_native:
        raise _invalid("skip_consent", "is not for native clients")
    if client.resource_server is not None and not client.is_confidential:
        raise _invalid("resource_server", "is only for clients that authenticate themselves")


def _judge_uris(client: ClientMetadata) -> None:
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(client, name):
            try:
                redirect_uri.registered(uri, client.application_type)
            except OAuthError as error:
                code = error.code if name == "redirect_uris" else ErrorCode.INVALID_CLIENT_METADATA
                raise _invalid(name, error.description, code) from None
    told = client.frontchannel_logout_uri
    if told is not None and _origin(told) not in set(map(_origin, client.redirect_uris)):
        raise _invalid("frontchannel_logout_uri", "has to be of the scheme, host and port of a redirect URI")


def _judge_grants(client: ClientMetadata) -> None:
    redirects = "authorization_code" in client.grant_types
    if redirects and not client.redirect_uris:
        raise _invalid("redirect_uris", "is missing: the grant type authorization_code needs one", _REDIRECT)
    # RFC 7591 section 2.1: the two have to agree.
    if redirects != ("code" in client.response_types):
        raise _invalid("response_types", "has code just when grant_types has authorization_code")
    if "client_credentials" in client.grant_types and not client.is_confidential:
        raise _invalid(
            "grant_types", "has client_credentials, for which the client has to authenticate itself"
        )


def _judge_keys(client: ClientMetadata) -> None:
    if client.jwks is not None and client.jwks_uri is not None:
        raise _invalid("jwks", "and jwks_uri are both given; keep one")
    by_key = client.token_endpoint_auth_method == "private_key_jwt"  # noqa: S105  # no password
    if by_key and client.jwks is None and client.jwks_uri is None:
        raise _invalid("jwks", "or jwks_uri is missing: private_key_jwt needs a key")
    if not by_key and client.token_endpoint_auth_signing_alg is not None:
        raise _invalid("token_endpoint_auth_signing_alg", "is only for private_key_jwt")


def _origin(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.scheme, parts.netloc


def _printed(value: Any) -> Any:
    if isinstance(value, Scope):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _restored(name: str, value: Any) -> Any:
    if name == "scope":
        return Scope.parse(value)
    return tuple(value) if isinstance(value, list) else value


def _invalid(name: str, wrong: str, code: ErrorCode = ErrorCode.INVALID_CLIENT_METADATA) -> OAuthError:
    return OAuthError(code, detail=f"{name} {wrong}", description=f"{name} {wrong}")

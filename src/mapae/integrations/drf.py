"""Bearer tokens for Django REST framework; with the settings of `mapae.integrations.django`.

class Orders(APIView):
    authentication_classes = [BearerAuthentication]
    permission_classes = [HasScopes.of("orders:read")]

    def get(self, request: Request) -> Response:
        token = token_of(request)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mapae.integrations.django import gate_of_settings, presented
from mapae.verifier import NOTHING, AccessToken, Needs, RejectionCode, TokenRejected

if TYPE_CHECKING:  # the views of the framework import this module when its settings name it
    from rest_framework.response import Response
    from rest_framework.views import APIView


class Refused(APIException):
    """The answer to a request whose token was rejected: status, challenge, and `error` and `error_description`.

    Attributes:
        rejected: why; its `detail` is for the log.
    """

    def __init__(self, rejected: TokenRejected) -> None:
        answer = gate_of_settings().refusal(rejected)
        super().__init__(answer.members, code=str(rejected.code))
        self.status_code = answer.status
        self.auth_header = answer.headers["WWW-Authenticate"]
        self.rejected = rejected


@dataclass(frozen=True, slots=True)
class TokenUser:
    """`request.user` of a request with a token: somebody the issuer knows, with no row in a table of ours."""

    token: AccessToken

    is_authenticated: ClassVar = True
    is_anonymous: ClassVar = False
    is_active: ClassVar = True
    is_staff: ClassVar = False
    is_superuser: ClassVar = False

    @property
    def pk(self) -> str:
        """The subject; throttles go by it."""
        return self.token.subject

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """False: the permissions of Django belong to rows; a token has scopes and roles."""
        return False

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """False, as above."""
        return False

    def __str__(self) -> str:
        return self.token.subject


class BearerAuthentication(BaseAuthentication):
    """`request.auth` is the access token, or None when the request brings none: permissions say who needs one."""

    def authenticate(self, request: Request) -> tuple[Any, AccessToken] | None:
        """User and token.

        Raises:
            Refused: a token that is not valid.
        """
        try:
            token = gate_of_settings().check(*presented(request))
        except TokenRejected as rejected:
            raise Refused(rejected) from rejected
        return None if token is None else (self.user(token), token)

    def authenticate_header(self, request: HttpRequest) -> str:
        """The challenge of a request that some permission wants a token for."""
        return gate_of_settings().refusal(_missing()).headers["WWW-Authenticate"]

    def user(self, token: AccessToken) -> Any:
        """What `request.user` will be. Overridden where the subject has a row in a table."""
        return TokenUser(token)


class HasScopes(BasePermission):
    """Lets in requests whose access token has all of `scopes` and is good for `needs`; without any, all with a token.

    It raises its refusal, which carries a challenge (RFC 6750 section 3), and never answers False: in a
    composition such as `IsAdminUser | HasScopes.of("orders:read")` it belongs last.
    """

    scopes: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[Needs] = NOTHING

    @classmethod
    def of(cls, *scopes: str, needs: Needs = NOTHING) -> type[Self]:
        """The permission that needs these scopes, and `needs`."""
        return type(cls.__name__, (cls,), {"scopes": scopes, "needs": needs})

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True.

        Raises:
            Refused: the token is missing or not enough.
        """
        token = token_of(request)
        try:
            gate_of_settings().verifier.recheck(token, self.needs.with_scopes(self.scopes))
        except TokenRejected as rejected:
            raise Refused(rejected) from rejected
        return True


def token_of(request: Request) -> AccessToken:
    """The access token of a request. Where there may be none, see `request.auth`.

    Raises:
        Refused: there is none.
    """
    if not isinstance(request.auth, AccessToken):
        raise Refused(_missing())
    return request.auth


def exception_handler(exc: Exception, context: dict[str, Any]) -> "Response | None":
    """The framework's own, which also answers a TokenRejected, as from `token_of(request).require("orders:write")`.

    REST_FRAMEWORK = {"EXCEPTION_HANDLER": "mapae.integrations.drf.exception_handler", ...}
    """
    from rest_framework import views

    return views.exception_handler(Refused(exc) if isinstance(exc, TokenRejected) else exc, context)


def _missing() -> TokenRejected:
    return TokenRejected(RejectionCode.MISSING, "a view that needs a token")

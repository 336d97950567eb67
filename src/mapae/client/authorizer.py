"""Which requests carry the token, and what to do about an API's refusal: what the adapters have in common."""

from typing import TYPE_CHECKING, Final

from mapae.client.challenges import check_step_up, refuses_token
from mapae.client.errors import Misuse, Unavailable
from mapae.client.origin import origin_of, protected_origin

if TYPE_CHECKING:
    from mapae.client.session import Session


class Authorizer:
    """A session, and the origins its token may travel to.

    Args:
        origins: such as "https://api.example.com"; paths are ignored.

    Raises:
        Misuse: no origin, or one that is not encrypted.
    """

    def __init__(self, session: "Session", origins: tuple[str, ...]) -> None:
        if not origins:
            raise Misuse("name the origins the token is for, such as https://api.example.com")
        self.session: Final = session
        self._origins: Final = frozenset(protected_origin(origin) for origin in origins)

    def covers(self, url: str) -> bool:
        """Whether a request for this URL carries the token. URLs of other schemes, or with a user name, do not."""
        try:
            return origin_of(url) in self._origins
        except Misuse:
            return False

    def wants_another(self, status: int, challenges: str) -> bool:
        """Whether an API refused the token itself.

        Args:
            challenges: the `WWW-Authenticate` values, joined with commas.

        Raises:
            StepUpRequired: the token is good, and the API wants more.
        """
        check_step_up(status, challenges)
        return refuses_token(status, challenges)

    def another(self, rejected: str) -> str | None:
        """Another token than the rejected one; None when the caller has to be content with the API's answer.

        Raises:
            LoginRequired, StoreFailed: as `Session.token`.
        """
        try:
            return self.session.refresh(rejected)
        except Unavailable:
            return None

    async def aanother(self, rejected: str) -> str | None:
        """As `another`, for asyncio."""
        try:
            return await self.session.arefresh(rejected)
        except Unavailable:
            return None


def bearer(token: str) -> str:
    """The value of the `Authorization` header (RFC 6750 section 2.1)."""
    return f"Bearer {token}"

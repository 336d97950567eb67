"""Read a refresh token, also one whose key another process has made a moment ago."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mapae.secret import Secret
from mapae.server.domain.refresh_token import RefreshKeyLost, RefreshToken, RefreshTokenCodec


@dataclass(frozen=True, slots=True)
class ReadRefreshToken:
    """`look_again` brings the keys of `codec` to what the database has; see `KeyRing.look_again`."""

    codec: RefreshTokenCodec
    look_again: Callable[[], Awaitable[None]]

    async def __call__(self, token: Secret) -> RefreshToken:
        """What the token says.

        Raises:
            NotARefreshToken: another shape, or a wrong MAC; decided without the database.
            RefreshKeyLost: this installation does not have its key.
            HolderUnavailable, StoreUnavailable: whether it has, cannot be said now.
        """
        try:
            return self.codec.read(token)
        except RefreshKeyLost:
            await self.look_again()
        return self.codec.read(token)

"""Secrets of clients: hashed like passwords, and once found right remembered by this process."""

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from typing import Final

from mapae.entropy import Entropy
from mapae.secret import Secret
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.domain.clients import Client
from mapae.server.domain.passwords import MAX_PASSWORD_LENGTH, PreparedPassword

#: The most clients whose secrets are remembered; the one found right longest ago goes first.
MOST: Final = 1000


class ClientSecrets:
    """Tells right secrets from wrong ones. A right one costs a hash once, a wrong one each time.

    What is remembered is a digest under a key that this process draws and keeps to itself, over the stored hash and
    the secret: so another hash in the database makes it worthless at once.
    """

    def __init__(self, hasher: Argon2Hasher, entropy: Entropy) -> None:
        self._hasher = hasher
        self._key = entropy(32)
        self._right: OrderedDict[str, bytes] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Task[bool]] = {}

    def is_known(self, client: Client, secret: Secret) -> bool:
        """Whether this is the client's secret, and has been found to be it before."""
        known = self._right.get(client.client_id)
        return known is not None and hmac.compare_digest(known, self._digest(client, secret))

    async def matches(self, client: Client | None, secret: Secret) -> bool:
        """Whether this is the client's secret. For no client, or one without a secret, False at the same cost.

        Raises:
            HashingBusy: too many secrets and passwords wait to be checked.
        """
        if client is None or client.secret_hash is None or len(secret) > MAX_PASSWORD_LENGTH:
            await self._hasher.verify_nothing(PreparedPassword(Secret("")))
            return False
        digest = self._digest(client, secret)
        right = await self._verified(digest, client.secret_hash, secret)
        if right:
            self._right.pop(client.client_id, None)
            self._right[client.client_id] = digest
            if len(self._right) > MOST:
                self._right.popitem(last=False)
        return right

    async def _verified(self, digest: bytes, secret_hash: str, secret: Secret) -> bool:
        """The one hash for however many requests bring the same secret meanwhile."""
        task = self._under_way.get(digest)
        if task is None:
            task = asyncio.create_task(self._hasher.verify(secret_hash, PreparedPassword(secret)))
            self._under_way[digest] = task
            task.add_done_callback(lambda _: self._under_way.pop(digest))
        # Who goes away does not take the hash from those who wait for it too.
        return await asyncio.shield(task)

    def _digest(self, client: Client, secret: Secret) -> bytes:
        told = f"{client.secret_hash}\n{secret.reveal()}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(told, key=self._key, digest_size=32).digest()

"""Authenticate a client: by secret, by key, or not at all where it is public."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from mapae.clock import Clock
from mapae.oauth.client_assertion import ClientAssertion
from mapae.oauth.client_credentials import JustNamed, WithAssertion, WithSecret, presented
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.server.actions.client_directory import ClientDirectory
from mapae.server.actions.client_keys import ClientKeys
from mapae.server.actions.client_secrets import ClientSecrets
from mapae.server.actions.guess_limits import GuessLimits
from mapae.server.domain.caller import Caller
from mapae.server.domain.clients import Client
from mapae.server.domain.events import ClientRefused
from mapae.server.domain.limits import address_bucket
from mapae.server.store.engine import Database


@dataclass(frozen=True, slots=True)
class AuthenticateClient:
    """The client behind a request to the token endpoint and its neighbours.

    A client uses the method it is registered with and no other. Unknown client, wrong method and wrong secret are one
    answer, after one hash.

    Attributes:
        audiences: what an assertion may be for: the issuer identifier, and the URLs of the endpoints that ask for one.
    """

    database: Database
    directory: ClientDirectory
    secrets: ClientSecrets
    keys: ClientKeys
    limits: GuessLimits
    audiences: Collection[str]
    clock: Clock

    async def __call__(self, authorization: Sequence[str], form: Mapping[str, str], caller: Caller) -> Client:
        """The client that a request proves to come from; a public one proves nothing.

        Args:
            authorization: the value of each `Authorization` header.
            form: the parameters of the body.
        Raises:
            OAuthError: INVALID_REQUEST, INVALID_CLIENT.
            Problem: TOO_MANY_ATTEMPTS, when too many wrong secrets came from the caller's address.
            HashingBusy: too many secrets and passwords wait to be checked.
            StoreUnavailable: the database cannot do it now.

        Implements: RFC 6749 sections 2.3 and 3.2.1, RFC 7523 section 3.
        """
        match presented(authorization, form):
            case JustNamed(client_id):
                return _of_method("none", await self.directory.find(client_id))
            case WithSecret() as credentials:
                return await self._by_secret(credentials, caller)
            case WithAssertion() as credentials:
                return await self._by_assertion(credentials)
            case other:
                assert_never(other)

    async def _by_secret(self, credentials: WithSecret, caller: Caller) -> Client:
        client = await self.directory.find(credentials.client_id)
        candidate = client if client and _method_of(client) == credentials.method else None
        if candidate and self.secrets.is_known(candidate, credentials.secret):
            return candidate
        buckets = [address_bucket(caller.address)] if caller.address else []
        async with self.database.reading() as unit:
            await self.limits.check(unit, buckets)
        if await self.secrets.matches(candidate, credentials.secret) and candidate:
            return candidate
        async with self.database.unit() as unit:
            await self.limits.count(unit, buckets)
            unit.record(
                ClientRefused(client.client_id if client else None, caller.address, caller.user_agent)
            )
            await unit.commit()
        raise _refused("wrong secret, wrong method or unknown client")

    async def _by_assertion(self, credentials: WithAssertion) -> Client:
        assertion = ClientAssertion.parse(credentials.assertion)
        if credentials.client_id not in (None, assertion.client_id):
            raise _refused("client_id is not the sub of the assertion")
        client = _of_method(credentials.method, await self.directory.find(assertion.client_id))
        keys = await self.keys.of(client.metadata, kid=assertion.kid)
        proof = assertion.check(
            keys,
            audiences=self.audiences,
            algorithm=client.metadata.token_endpoint_auth_signing_alg,
            now=self.clock(),
        )
        digest = hashlib.sha256(proof.jti.encode()).digest()
        async with self.database.unit() as unit:
            first = await unit.clients.use_assertion(client.client_id, digest, proof.expires_at)
            await unit.commit()
        if not first:
            raise _refused("the assertion was used before")
        return client


def _of_method(method: str, client: Client | None) -> Client:
    if client is None or _method_of(client) != method:
        raise _refused("unknown client, or one that authenticates in another way")
    return client


def _method_of(client: Client) -> str:
    return client.metadata.token_endpoint_auth_method


def _refused(detail: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_CLIENT, detail=detail)

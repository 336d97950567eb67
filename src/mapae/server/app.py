"""Composition root: settings in, ASGI application out. The only file that knows every room."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from mapae.clock import monotonic_clock, system_clock
from mapae.entropy import system_entropy
from mapae.jose import base64url
from mapae.server.actions.authenticate_client import AuthenticateClient
from mapae.server.actions.authenticate_token import AuthenticateToken
from mapae.server.actions.authorize import Authorize
from mapae.server.actions.back_channel import BackChannel
from mapae.server.actions.begin_session import BeginSession
from mapae.server.actions.change_password import ChangePassword
from mapae.server.actions.check_password import CheckPassword
from mapae.server.actions.client_directory import ClientDirectory
from mapae.server.actions.client_keys import ClientKeys
from mapae.server.actions.client_secrets import ClientSecrets
from mapae.server.actions.family_batches import FamilyBatches
from mapae.server.actions.give_consent import GiveConsent
from mapae.server.actions.grants.authorization_code import AuthorizationCodeGrant
from mapae.server.actions.grants.client_credentials import ClientCredentialsGrant
from mapae.server.actions.grants.refresh_token import RefreshGrant
from mapae.server.actions.guess_limits import GuessLimits
from mapae.server.actions.introspect import Introspect
from mapae.server.actions.issue import Issue
from mapae.server.actions.issue_to_client import IssueToClient
from mapae.server.actions.keep_codes import KeepCodes
from mapae.server.actions.key_ring import KeyRing, following
from mapae.server.actions.live_tokens import LiveTokens
from mapae.server.actions.log_in import LogIn
from mapae.server.actions.log_out_browser import LogOutBrowser
from mapae.server.actions.mint import Mint
from mapae.server.actions.read_refresh_token import ReadRefreshToken
from mapae.server.actions.resource_directory import ResourceDirectory
from mapae.server.actions.revoke import Revoke
from mapae.server.actions.rotate_keys import RotateKeys
from mapae.server.actions.sessions import RefreshTokenLogOut, UserSessions
from mapae.server.actions.sign_in_browser import SignInBrowser
from mapae.server.actions.sweep import Sweep
from mapae.server.actions.token import AnswerTokenRequest
from mapae.server.actions.userinfo import Userinfo
from mapae.server.adapters.argon2_hasher import Argon2Hasher
from mapae.server.adapters.fetch import GuardedFetch
from mapae.server.adapters.key_holders import KeyHolder, SealedKeys
from mapae.server.adapters.log import configure_logging
from mapae.server.adapters.metrics import Metrics
from mapae.server.adapters.sealing import Sealer
from mapae.server.domain.derived_keys import derive
from mapae.server.domain.families import RefreshPolicy
from mapae.server.domain.keys import Lives
from mapae.server.domain.refresh_token import RefreshTokenCodec
from mapae.server.http.cookies import Cookies
from mapae.server.http.cors import Cors
from mapae.server.http.csrf import Csrf
from mapae.server.http.dispatch import Dispatch
from mapae.server.http.endpoints.authorize import AuthorizationEndpoint
from mapae.server.http.endpoints.health import Health, closed_routes
from mapae.server.http.endpoints.introspect import IntrospectionEndpoint
from mapae.server.http.endpoints.logout import LogoutEndpoint
from mapae.server.http.endpoints.metrics import MetricsPage
from mapae.server.http.endpoints.revoke import RevocationEndpoint
from mapae.server.http.endpoints.session_api import SessionApi
from mapae.server.http.endpoints.token import TokenEndpoint
from mapae.server.http.endpoints.userinfo import UserinfoEndpoint
from mapae.server.http.endpoints.well_known import WellKnown
from mapae.server.http.front import Front
from mapae.server.http.pages.consent import ConsentPage
from mapae.server.http.pages.login import LoginPage
from mapae.server.http.pages.rendering import Pages
from mapae.server.jobs import Job, running
from mapae.server.settings import Settings, load_settings
from mapae.server.store.engine import Database, StoreUnavailable, open_database

log = structlog.get_logger()

#: Seconds between two tries to open a database that is away.
RETRY_S: Final = 0.5


def create() -> ASGIApp:
    """The application of this process's environment: what each worker runs."""
    settings = load_settings(os.environ)
    configure_logging(settings.log_format, settings.log_level)
    return build(settings)


def build(settings: Settings) -> ASGIApp:
    """The application of these settings. It opens the database when it starts, and closes it when it stops."""
    metrics, pages = Metrics(), Pages(settings.issuer)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:

            async def open_up() -> None:
                house = await stack.enter_async_context(opened(settings))
                await stack.enter_async_context(following(house.ring))
                await stack.enter_async_context(running(jobs(settings, house, metrics), house.database))
                await stack.enter_async_context(back_channel(settings, house, metrics).delivering())
                dispatch.answer([*pages.routes(), *routes(settings, house, metrics, pages)])
                # What is there by now stays: the collector need not look through it again and again.
                gc.collect()
                gc.freeze()

            dispatch.answer([*pages.routes(), *closed_routes()])
            async with retried(open_up):
                yield

    dispatch = Dispatch(lifespan)
    https = settings.issuer.startswith("https://")
    return Front(dispatch, pages=pages, https=https, entropy=system_entropy, metrics=metrics)


@asynccontextmanager
async def retried(open_up: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Open up; while the database is away, enter all the same and go on trying.

    A worker may have to take the place of another just then. One that gave up would take the server with it.
    """

    async def go_on() -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                return await open_up()
            except StoreUnavailable as error:
                log.warning("not_open_yet", detail=str(error))

    try:
        await open_up()
    except StoreUnavailable as error:
        log.warning("not_open_yet", detail=str(error))
        task = asyncio.create_task(go_on())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    else:
        yield


@dataclass(frozen=True, slots=True)
class House:
    """What is opened at start and closed at the end, and what there is one of besides."""

    database: Database
    ring: KeyRing
    hasher: Argon2Hasher
    codec: RefreshTokenCodec
    clients: ClientDirectory
    resource_servers: ResourceDirectory
    fetch: GuardedFetch
    #: Set when clients may have to be told of a log-out.
    logged_out: asyncio.Event


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """Open the database, the key ring and the hashing threads.

    Raises:
        StoreUnavailable: the database cannot be used.
        WrongSecretKey: no secret key of the settings opens this database's keys.
        HolderUnavailable: whoever has a key cannot be asked.
    """
    database = open_database(settings.database_url.reveal(), pool_size=settings.database_pool)
    hasher = hasher_of(settings)
    try:
        rotation = rotation_of(settings, database)
        ring = KeyRing(rotation, [rotation.sealed, rotation.holder], monotonic=monotonic_clock)
        await ring.look()
        yield House(
            database,
            ring,
            hasher,
            RefreshTokenCodec(ring.refresh_keys),
            ClientDirectory(database, monotonic=monotonic_clock),
            ResourceDirectory(database, monotonic=monotonic_clock),
            GuardedFetch(settings.outbound_allow, settings.outbound_ca_file),
            asyncio.Event(),
        )
    finally:
        hasher.close()
        await database.close()


def hasher_of(settings: Settings) -> Argon2Hasher:
    """The password hasher of these settings."""
    return Argon2Hasher(
        memory_kib=settings.argon2_memory_kib,
        time_cost=settings.argon2_time_cost,
        parallelism=settings.argon2_parallelism,
        threads=settings.hashing_threads,
        queue=settings.hashing_queue,
    )


def rotation_of(settings: Settings, database: Database) -> RotateKeys:
    """What changes the key ring of these settings."""
    secret_key, *former = (
        base64url.decode(secret.reveal()) for secret in (settings.secret_key, *settings.secret_key_old)
    )
    sealed = SealedKeys(secret_key, Sealer(secret_key, system_entropy, former=former), system_entropy)
    return RotateKeys(
        database,
        sealed,
        holder=_module(settings) or sealed,
        lives=Lives(
            settings.key_rotation,
            ahead_s=settings.jwks_life + settings.key_margin,
            linger_s=settings.access_token_life + settings.key_margin,
        ),
        refresh_lives=Lives(
            settings.key_rotation,
            ahead_s=settings.key_margin,
            # As long as a session that is over is kept, its tokens are told why it ended.
            linger_s=settings.session_life + settings.session_retention,
        ),
    )


def _module(settings: Settings) -> KeyHolder | None:
    if not (settings.pkcs11_module and settings.pkcs11_token and settings.pkcs11_pin):
        return None
    from mapae.server.adapters.pkcs11_keys import Pkcs11Keys  # an extra of its own

    return Pkcs11Keys(settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_pin, system_entropy)


def authentication_of_clients(settings: Settings, house: House, limits: GuessLimits) -> AuthenticateClient:
    """What tells which client a request comes from."""
    return AuthenticateClient(
        house.database,
        house.clients,
        ClientSecrets(house.hasher, system_entropy),
        ClientKeys(house.fetch, monotonic=monotonic_clock),
        limits,
        # Clients name the server, its token endpoint, or the endpoint they are at.
        audiences=(
            settings.issuer,
            *(f"{settings.issuer}/oauth/{name}" for name in ("token", "introspect", "revoke")),
        ),
        clock=system_clock,
    )


def jobs(settings: Settings, house: House, metrics: Metrics) -> list[Job]:
    """The periodic work of the server."""
    sweep = Sweep(house.database, settings.session_retention, settings.audit_retention, metrics)
    return [Job("sweep", 600, sweep)]


def mint_of(settings: Settings, house: House) -> Mint:
    """What makes signed tokens."""
    return Mint(settings.issuer, settings.access_token_life, house.ring, system_clock, system_entropy)


def back_channel(settings: Settings, house: House, metrics: Metrics) -> BackChannel:
    """What tells clients of log-outs."""
    mint = mint_of(settings, house)
    return BackChannel(house.database, house.clients, mint, house.fetch, metrics, house.logged_out)


def sign_in_routes(  # what it shares with the other doors
    settings: Settings,
    house: House,
    metrics: Metrics,
    pages: Pages,
    check_password: CheckPassword,
    begin: BeginSession,
) -> list[Route]:
    """Where people sign in and out, at the wish of a client."""
    database, keys, idle_s = house.database, house.ring.published, settings.session_idle
    secret_key, issuer = base64url.decode(settings.secret_key.reveal()), urlsplit(settings.issuer)
    base, proxies = issuer.path.rstrip("/"), settings.trusted_proxies
    cookies = Cookies(https=issuer.scheme == "https")
    csrf = Csrf(cookies, derive(secret_key, "mapae csrf 1"), settings.issuer, system_entropy)
    authorize = Authorize(
        database,
        house.clients,
        house.resource_servers,
        KeepCodes(database),
        keys,
        settings.issuer,
        idle_s,
        derive(secret_key, "mapae authorize 1"),
        system_entropy,
    )
    sign_in = SignInBrowser(database, check_password, begin, idle_s, system_entropy)
    log_out = LogOutBrowser(database, house.clients, keys, settings.issuer, idle_s, house.logged_out.set)
    return [
        *AuthorizationEndpoint(authorize, cookies, pages, metrics, base).routes(),
        *LoginPage(authorize, sign_in, cookies, csrf, pages, base, proxies, system_entropy).routes(),
        *ConsentPage(authorize, GiveConsent(database), cookies, csrf, pages, base).routes(),
        *LogoutEndpoint(log_out, cookies, csrf, pages, base, proxies).routes(),
    ]


def routes(settings: Settings, house: House, metrics: Metrics, pages: Pages) -> list[BaseRoute]:
    """Every address of the server, each wired to what answers it."""
    database, ring = house.database, house.ring
    mint = mint_of(settings, house)
    issue = Issue(mint, house.codec)
    policy = RefreshPolicy(grace_s=settings.refresh_grace, idle_s=settings.session_idle)
    batches = FamilyBatches(database, policy, metrics)
    limits = GuessLimits(monotonic=monotonic_clock)
    check_password = CheckPassword(database, house.hasher, limits)
    begin_session = BeginSession(settings.session_life, settings.sessions_per_user, system_entropy)
    read = ReadRefreshToken(house.codec, ring.look_again)
    refresh = RefreshGrant(read, batches, system_clock)
    tokens, live = (
        AuthenticateToken(issuer=settings.issuer, keys=ring.published, database=database),
        LiveTokens(database),
    )
    authenticate = authentication_of_clients(settings, house, limits)
    answer = AnswerTokenRequest(
        authenticate,
        AuthorizationCodeGrant(database, system_entropy),
        refresh,
        ClientCredentialsGrant(house.resource_servers, mint),
        IssueToClient(issue, database),
        metrics,
    )
    introspect = Introspect(authenticate, tokens, live, house.clients, system_clock)
    revoke = Revoke(authenticate, read, batches, tokens, database)
    cors, proxies = Cors(house.clients.browser_origins), settings.trusted_proxies
    session_api = SessionApi(
        log_in=LogIn(
            house.resource_servers, check_password, begin_session, issue, settings.issuer, system_entropy
        ),
        refresh=refresh,
        issue=issue,
        log_out=RefreshTokenLogOut(read, batches, database),
        change_password=ChangePassword(database, house.hasher, limits),
        user_sessions=UserSessions(database, settings.session_idle),
        authenticate=tokens,
        trusted_proxies=proxies,
    )
    return [
        *session_api.routes(),
        *TokenEndpoint(answer, cors, metrics, proxies).routes(),
        *IntrospectionEndpoint(introspect, metrics, proxies).routes(),
        *RevocationEndpoint(revoke, cors, metrics, proxies).routes(),
        *UserinfoEndpoint(Userinfo(tokens, live, database), cors, metrics).routes(),
        *sign_in_routes(settings, house, metrics, pages, check_password, begin_session),
        *WellKnown(settings.issuer, ring.published, settings.jwks_life).routes(),
        *Health(database).routes(),
        *MetricsPage(metrics, settings.metrics).routes(),
    ]

"""A hardware module as holder of the signing keys, for real: SoftHSM by PKCS#11."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from mapae.clock import monotonic_clock
from mapae.entropy import system_entropy
from mapae.jose import jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.jwk import Jwk
from mapae.secret import Secret
from mapae.server.actions.key_ring import KeyRing
from mapae.server.actions.rotate_keys import RotateKeys
from mapae.server.adapters.key_holders import HolderUnavailable, MadeKey, SealedKeys
from mapae.server.adapters.pkcs11_keys import Pkcs11Keys
from mapae.server.adapters.sealing import Sealer
from mapae.server.domain.keys import SIGNING_ALGORITHMS, Key, Lives
from mapae.server.store.engine import Database, open_database
from tests.server.http.conftest import bearer, serving
from tests.softhsm import PIN, SoftHsm, SoftHsmMissing, find_library

SECRET = b"s" * 32
LIVES = Lives(10_000, ahead_s=420, linger_s=540)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    try:
        made = SoftHsm(tmp_path_factory.mktemp("softhsm"), find_library())
    except SoftHsmMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(made.configuration))
        yield made


@pytest.fixture
def token(module: SoftHsm) -> str:
    label = module.create_token()
    # SoftHSM looks for tokens once, when it is initialised.
    pkcs11.lib(str(module.library)).reinitialize()
    return label


@pytest.fixture
def keys(module: SoftHsm, token: str) -> Pkcs11Keys:
    return Pkcs11Keys(module.library, token, Secret(PIN), system_entropy)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    opened = open_database(sqlite_url)
    yield opened
    await opened.close()


def kept(made: MadeKey, algorithm: str) -> Key:
    return Key(made.kid, algorithm, "pkcs11", made.public, made.sealed, 0, 0)


@pytest.mark.parametrize("algorithm", SIGNING_ALGORITHMS)
async def test_what_the_module_signs_is_verified_with_what_is_published(
    keys: Pkcs11Keys, algorithm: str
) -> None:
    made = keys.make(algorithm)
    signature = await keys.signer(kept(made, algorithm)).sign(b"data")
    public = Jwk.parse(made.public)
    assert (public.kid, public.alg, public.is_private) == (made.kid, algorithm, False)
    ALGORITHMS[algorithm].verify(public.public_key, b"data", signature)
    assert made.sealed == b""


def test_a_private_key_never_leaves_the_module(keys: Pkcs11Keys, module: SoftHsm, token: str) -> None:
    made = keys.make("ES256")
    pkcs11.lib(str(module.library)).reinitialize()
    with pkcs11.lib(str(module.library)).get_token(token_label=token).open(user_pin=PIN) as session:
        private = session.get_key(object_class=ObjectClass.PRIVATE_KEY, id=made.kid.encode())
        assert (private[Attribute.EXTRACTABLE], private[Attribute.SENSITIVE]) == (False, True)
        with pytest.raises(pkcs11.AttributeSensitive):
            _ = private[Attribute.VALUE]


async def test_a_module_that_was_restarted_is_opened_anew(keys: Pkcs11Keys, module: SoftHsm) -> None:
    signer = keys.signer(kept(keys.make("ES256"), "ES256"))
    await signer.sign(b"data")
    pkcs11.lib(str(module.library)).reinitialize()
    await signer.sign(b"data")


def test_what_is_wrong_with_the_module_is_said_without_its_pin(module: SoftHsm, token: str) -> None:
    for keys, what in (
        (Pkcs11Keys(module.library, token, Secret("9999"), system_entropy), "PinIncorrect"),
        (Pkcs11Keys(module.library, "no-such-token", Secret(PIN), system_entropy), "NoSuchToken"),
        (Pkcs11Keys(Path("/no/such/library.so"), token, Secret(PIN), system_entropy), "PKCS11Error"),
    ):
        with pytest.raises(HolderUnavailable) as unavailable:
            keys.make("ES256")
        assert what in str(unavailable.value)
        assert "9999" not in str(unavailable.value)
        assert PIN not in str(unavailable.value).replace(token, "")


def test_a_key_that_the_module_does_not_have_is_told(keys: Pkcs11Keys) -> None:
    made = replace(kept(keys.make("ES256"), "ES256"), kid="elsewhere")
    with pytest.raises(HolderUnavailable, match="NoSuchKey"):
        keys.signer(made)


async def test_keys_of_the_database_go_on_until_those_of_the_module_take_over(
    keys: Pkcs11Keys, database: Database
) -> None:
    sealed = SealedKeys(SECRET, Sealer(SECRET, system_entropy), system_entropy)
    before = RotateKeys(database, sealed, sealed, LIVES, LIVES)
    await before.keep_up(await before.read())

    passed_s = 0.0
    after = RotateKeys(database, sealed, keys, LIVES, LIVES)
    ring = KeyRing(after, [sealed, keys], monotonic=lambda: passed_s)
    await ring.look()
    old = ring.signing("any").kid
    _, new = await after.rotate(["ES256"], at_once=False)
    await ring.look()
    assert (new.holder, new.sealed, ring.signing("any").kid) == ("pkcs11", b"", old)
    passed_s += LIVES.ahead_s + 1
    signing = ring.signing("any")
    assert signing.kid == new.kid
    signed = jws.signing_input(b"{}", algorithm="ES256", kid=signing.kid, typ="at+jwt")
    found = jws.split(jws.join(signed, await signing.signer.sign(signed)))
    jws.verify(found, ring.published().key_for(found.header, ["ES256"]), ["ES256"])


async def test_keys_of_a_module_that_the_settings_do_not_name_are_told(
    keys: Pkcs11Keys, database: Database
) -> None:
    sealed = SealedKeys(SECRET, Sealer(SECRET, system_entropy), system_entropy)
    with_module = RotateKeys(database, sealed, keys, LIVES, LIVES)
    await with_module.keep_up(await with_module.read())
    without = KeyRing(RotateKeys(database, sealed, sealed, LIVES, LIVES), [sealed], monotonic=monotonic_clock)
    with pytest.raises(HolderUnavailable, match="held by pkcs11"):
        await without.look()


async def test_a_server_signs_with_the_module_and_says_503_without_it(
    database_url: str, module: SoftHsm, token: str
) -> None:
    settings = {
        "MAPAE_PKCS11_MODULE": str(module.library),
        "MAPAE_PKCS11_TOKEN": token,
        "MAPAE_PKCS11_PIN": PIN,
    }
    async with serving(database_url, **settings) as server:
        answer = await server.login()
        assert answer.status_code == 200
        assert (await server.http.get("/auth/me", headers=bearer(answer))).status_code == 200
        async with server.database.reading() as unit:
            holders = {key.algorithm: key.holder for key in await unit.keys.all()}
        assert holders == {"ES256": "pkcs11", "HS256": "database"}

        for file in sorted((module.folder / "tokens").rglob("*.object")):
            os.unlink(file)
        pkcs11.lib(str(module.library)).reinitialize()
        refused = await server.refresh(answer.json()["refresh_token"])
        assert (refused.status_code, refused.json()["code"]) == (503, "signing_unavailable")
        assert refused.headers["Retry-After"] == "1"

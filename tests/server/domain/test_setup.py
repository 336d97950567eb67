"""A set-up file is parsed to its end, or every mistake in it is named."""

import tomllib

import pytest

from mapae.oauth.scope import Scope
from mapae.server.domain.setup import SetupMistake, parse_setup

WHOLE = """
[[users]]
username = "Alice"
password = "correct horse battery staple"
email = "alice@example.com"
email_verified = true
roles = ["member", "admin"]

[[users]]
username = "bob"
password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"

[[resource_servers]]
audience = "https://api.example.com"
scopes = ["orders:read", "orders:write"]

[[clients]]
client_id = "web"
client_secret = "a secret of two servers"
redirect_uris = ["https://app.example.com/callback"]
scope = "openid orders:read"
jwks = { keys = [{ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
"""

CLAIMS = """
[[users]]
username = "carol"
name = "Carol Example"
given_name = "Carol"
profile = "https://example.com/carol"
birthdate = "0000-05-17"
phone_number = "+82 2 555 0100"
phone_number_verified = false
address = { street_address = "1 Main Street\\nFloor 2", country = "KR" }
"""


def test_a_whole_file_is_parsed() -> None:
    setup = parse_setup(tomllib.loads(WHOLE))
    alice, bob = setup.users
    assert (alice.username.display, alice.username.key, alice.roles) == (
        "Alice",
        "alice",
        ("member", "admin"),
    )
    assert alice.password is not None
    assert "correct" not in repr(alice)
    assert bob.password_hash is not None
    assert setup.resource_servers[0].scopes == ("orders:read", "orders:write")
    (web,) = setup.clients
    assert web.client_secret is not None
    assert "two servers" not in repr(web)
    assert web.metadata.redirect_uris == ("https://app.example.com/callback",)
    assert (web.metadata.scope, web.metadata.token_endpoint_auth_method) == (
        Scope.parse("openid orders:read"),
        "client_secret_basic",
    )


def test_the_claims_of_a_user_have_their_standard_names() -> None:
    (carol,) = parse_setup(tomllib.loads(CLAIMS)).users
    assert carol.claims == {
        "name": "Carol Example",
        "given_name": "Carol",
        "profile": "https://example.com/carol",
        "birthdate": "0000-05-17",
        "phone_number": "+82 2 555 0100",
        "phone_number_verified": False,
        "address": {"street_address": "1 Main Street\nFloor 2", "country": "KR"},
    }
    assert parse_setup(tomllib.loads(WHOLE)).users[0].claims == {}


def test_an_empty_file_asks_for_nothing() -> None:
    setup = parse_setup({})
    assert (setup.users, setup.resource_servers, setup.clients) == ((), (), ())


USER = '[[users]]\nusername = "a"\n'
CLIENT = '\n[[clients]]\nclient_id = "web"\n'
URIS = 'redirect_uris = ["https://app.example.com/"]\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[user]]", "[[user]] is not known; did you mean users?"),
        ("[[nothing]]", "[[nothing]] is not known; known here: users, resource_servers, clients"),
        ("[[users]]", "[[users]] number 1, username is missing"),
        ('[[users]]\nusername = ""', "[[users]] number 1, username is empty"),
        ("[[users]]\nusername = 1", "[[users]] number 1, username has to be a string"),
        (
            '[[users]]\nusername = "a"\n[[users]]\nusername = "b"\npasword = "x"',
            "[[users]] number 2, pasword is not known; did you mean password?",
        ),
        ('[[users]]\nusername = "a"\npassword = "short"', "[[users]] number 1, password is too short"),
        (
            '[[users]]\nusername = "a"\npassword = "long enough"\npassword_hash = "$argon2id$"',
            "[[users]] number 1 password and password_hash are both given; keep one",
        ),
        ('[[users]]\nusername = "a"\nroles = "admin"', "[[users]] number 1, roles: "),
        ('[[users]]\nusername = "a"\nroles = ["x", "x"]', "[[users]] number 1, roles names something twice"),
        ('[[users]]\nusername = "a"\nroles = ["x y"]', "[[users]] number 1, roles has to be 1 to 64 visible"),
        ('[[users]]\nusername = "a"\nemail = "nobody"', "[[users]] number 1, email is no e-mail address"),
        ('[[users]]\nusername = "a"\nemail_verified = "yes"', "[[users]] number 1, email_verified: "),
        ('[[users]]\nusername = "a"\n[[users]]\nusername = "A"', "two tables have the same username"),
        (
            '[[resource_servers]]\naudience = "api"',
            "[[resource_servers]] number 1, audience has to be an absolute",
        ),
        (
            '[[resource_servers]]\naudience = "https://a/#b"',
            "[[resource_servers]] number 1, audience has to be",
        ),
        (
            '[[resource_servers]]\naudience = "https://a"\nscopes = ["a b"]',
            "[[resource_servers]] number 1, scopes has to be one scope",
        ),
        ('users = "alice"', "[[users]]: "),
        (USER + 'name = "a\\u202eb"', "[[users]] number 1, name has to be 1 to 200 printable"),
        (USER + 'nickname = ""', "[[users]] number 1, nickname has to be 1 to 200 printable"),
        (USER + "birthdate = 1990-05-17", "[[users]] number 1, birthdate has to be a string"),
        (USER + 'birthdate = "17.5.1990"', "[[users]] number 1, birthdate has to be YYYY-MM-DD"),
        (USER + 'picture = "javascript:alert(1)"', "[[users]] number 1, picture has to be an https or http"),
        (USER + 'phone_number_verified = "yes"', "[[users]] number 1, phone_number_verified: "),
        (USER + 'address = "here"', "[[users]] number 1, address: "),
        (
            USER + "address.contry = 'KR'",
            "[[users]] number 1, address.contry is not known; did you mean country?",
        ),
        (USER + "address.region = 1", "[[users]] number 1, address.region has to be a string"),
        ("[[clients]]\n" + URIS, "[[clients]] number 1, client_id is missing"),
        (
            '[[clients]]\nclient_id = ""\n' + URIS,
            "[[clients]] number 1, client_id has to be 1 to 128 visible",
        ),
        ('[[clients]]\nclient_id = "a b"\n' + URIS, "[[clients]] number 1, client_id has to be 1 to 128"),
        ('[[clients]]\nclient_id = "mapae"\n' + URIS, "[[clients]] number 1, client_id is mapae, which"),
        (CLIENT, "[[clients]] number 1, redirect_uris is missing"),
        (
            CLIENT + URIS + "redirect_uri = 1",
            "[[clients]] number 1, redirect_uri is not known; did you mean redire",
        ),
        (CLIENT + URIS + "metadata = 1", "[[clients]] number 1, metadata: "),
        (
            CLIENT + URIS + "client_secret = 'short'",
            "[[clients]] number 1, client_secret has to be 8 to 1024",
        ),
        (
            CLIENT + URIS + "client_secret = 12345678",
            "[[clients]] number 1, client_secret has to be a string",
        ),
        (
            CLIENT + URIS + "client_secret = 'long enough'\nclient_secret_hash = '$argon2id$'",
            "[[clients]] number 1, client_secret and client_secret_hash are both given; keep one",
        ),
        (
            CLIENT + URIS + "client_secret = 'long enough'\ntoken_endpoint_auth_method = 'none'",
            "[[clients]] number 1, client_secret is given, and token_endpoint_auth_method uses none",
        ),
        (CLIENT + URIS + CLIENT + URIS, "two tables have the same client_id"),
        ("clients = 1", "[[clients]]: "),
        ("clients = [1]", "[[clients]] number 1: "),
    ],
)
def test_a_mistake_names_the_table_and_the_key(text: str, line: str) -> None:
    with pytest.raises(SetupMistake) as mistake:
        parse_setup(tomllib.loads(text))
    (told,) = mistake.value.lines
    assert told.startswith(line)


def test_every_mistake_is_told_and_no_password_with_it() -> None:
    text = '[[users]]\nusername = ""\npassword = "hunter2"\n[[resource_servers]]\naudience = ""'
    with pytest.raises(SetupMistake) as mistake:
        parse_setup(tomllib.loads(text))
    assert len(mistake.value.lines) == 3
    assert "hunter2" not in str(mistake.value)


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ('redirect_uris = ["http://app.example.com/"]', "redirect_uris"),
        ('redirect_uris = ["https://app.example.com/#x"]', "redirect_uris"),
        ('redirect_uris = ["javascript:alert(1)"]\napplication_type = "native"', "redirect_uris"),
        (URIS + "jwks = { keys = [] }\njwks_uri = 'https://app.example.com/jwks'", "jwks"),
        (URIS + "jwks = { keys = [{ kty = 'oct', k = 'c2VjcmV0' }] }", "jwks"),
        (URIS + "grant_types = ['password']", "grant_types"),
        (URIS + "scope = 1", "scope"),
        (URIS + "require_pkce = false\ntoken_endpoint_auth_method = 'none'", "require_pkce"),
    ],
)
def test_a_mistake_in_client_metadata_names_the_member_and_quotes_nothing(members: str, member: str) -> None:
    with pytest.raises(SetupMistake) as mistake:
        parse_setup(tomllib.loads(CLIENT + members))
    (told,) = mistake.value.lines
    assert told.startswith(f"[[clients]] number 1, {member} ")
    assert not any(quoted in told for quoted in ("alert", "c2VjcmV0", "app.example.com"))

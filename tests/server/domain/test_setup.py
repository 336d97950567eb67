"""A set-up file is parsed to its end, or every mistake in it is named."""

import tomllib

import pytest

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


def test_an_empty_file_asks_for_nothing() -> None:
    setup = parse_setup({})
    assert (setup.users, setup.resource_servers) == ((), ())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[user]]", "[[user]] is not known; did you mean users?"),
        ("[[nothing]]", "[[nothing]] is not known; known here: users, resource_servers"),
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

"""Every way in which a token can be wrong, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mapae.testing.issuer import Issuer

#: What makes a bad token of each kind; an API refuses all of them.
BAD_TOKENS: Final[Mapping[str, Callable[[Issuer], str]]] = MappingProxyType(
    {
        "expired": lambda issuer: issuer.token(expired=True),
        "not yet valid": lambda issuer: issuer.token(not_yet_valid=True),
        "not used before": lambda issuer: issuer.token(claims={"nbf": issuer.clock() + 3600}),
        "never expires": lambda issuer: issuer.token(claims={"exp": None}),
        "expires at a text": lambda issuer: issuer.token(claims={"exp": str(issuer.clock() + 300)}),
        "expires at true": lambda issuer: issuer.token(claims={"exp": True}),
        "other audience": lambda issuer: issuer.token(audience="https://other-api.test"),
        "no audience": lambda issuer: issuer.token(claims={"aud": None}),
        "other issuer": lambda issuer: issuer.token(issuer="https://other-issuer.test"),
        "issuer with a slash": lambda issuer: issuer.token(issuer=f"{issuer.issuer}/"),
        "an ID token": lambda issuer: issuer.token(typ="JWT", claims={"aud": "test-client"}),
        "a plain JWT": lambda issuer: issuer.token(typ="JWT"),
        "a logout token": lambda issuer: issuer.token(typ="logout+jwt"),
        "nobody's": lambda issuer: issuer.token(claims={"sub": None}),
        "without a client": lambda issuer: issuer.token(claims={"client_id": None}),
        "bound to a key": lambda issuer: issuer.token(claims={"cnf": {"jkt": "x"}}),
        "unsigned": lambda issuer: issuer.token(alg="none"),
        "unsigned in capitals": lambda issuer: issuer.token(alg="NONE"),
        "public key as a secret": lambda issuer: issuer.token(alg="HS256"),
        "unknown key": lambda issuer: issuer.token(unknown_key=True),
        "tampered": lambda issuer: issuer.token(tampered=True),
        "critical extension": lambda issuer: issuer.token(header={"crit": ["b64"], "b64": True}),
        "one segment too many": lambda issuer: f"{issuer.token()}.e30",
        "signature cut off": lambda issuer: issuer.token().rpartition(".")[0],
        "signature empty": lambda issuer: f"{issuer.token().rpartition('.')[0]}.",
        "padded": lambda issuer: f"{issuer.token()}=",
        "too long": lambda issuer: issuer.token(claims={"padding": "x" * 8192}),
        "no token at all": lambda issuer: "password",
    }
)

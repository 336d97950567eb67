"""Each bad token is refused, and for the reason in its name."""

import pytest

from mapae import TokenRejected
from mapae.testing import BAD_TOKENS, FixedClock, Issuer

ISSUER = Issuer(audience="https://api.example.com", clock=FixedClock())
REASONS = {
    "expired": "expired",
    "not yet valid": "not_yet_valid",
    "not used before": "not_yet_valid",
    "never expires": "malformed",
    "expires at a text": "malformed",
    "expires at true": "malformed",
    "other audience": "wrong_audience",
    "no audience": "wrong_audience",
    "other issuer": "wrong_issuer",
    "issuer with a slash": "wrong_issuer",
    "an ID token": "wrong_type",
    "a plain JWT": "wrong_type",
    "a logout token": "wrong_type",
    "nobody's": "malformed",
    "without a client": "malformed",
    "bound to a key": "wrong_binding",
    "unsigned": "bad_signature",
    "unsigned in capitals": "bad_signature",
    "public key as a secret": "bad_signature",
    "unknown key": "unknown_key",
    "tampered": "bad_signature",
    "critical extension": "malformed",
    "one segment too many": "malformed",
    "signature cut off": "malformed",
    "signature empty": "bad_signature",
    "padded": "malformed",
    "too long": "malformed",
    "no token at all": "malformed",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_it_is_refused_for_the_reason_in_its_name(kind: str) -> None:
    with pytest.raises(TokenRejected) as refused:
        ISSUER.verifier().verify(BAD_TOKENS[kind](ISSUER))

    assert refused.value.code == REASONS[kind]

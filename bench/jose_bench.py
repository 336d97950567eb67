"""What a check of one token costs: raw cryptography, PyJWT, joserfc, mapae; interleaved rounds, medians.

    python bench/jose_bench.py [rounds]

Every round times each contender once, in turn, so that a busy machine disturbs all of them alike. The token
is a login token of the server; ours is split, its key found in a set of three, its signature verified and its
claims parsed, as a verifier does with a token it sees for the first time.
"""

import hmac
import statistics
import sys
import timeit
import warnings
from collections.abc import Callable

import jwt as pyjwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

from mapae.jose import jws, jwt
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet

CALLS = 50
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
CLAIMS = {
    "iss": "https://auth.example.com",
    "sub": "kX3vQ0m2Zt9A",
    "aud": "https://api.example.com",
    "exp": 4102444800,
    "iat": 1767225600,
    "jti": "Wc81hTqLr5Yd",
    "client_id": "mapae",
    "scope": "orders:read orders:write",
    "sid": "pB7nE4sJx0Ku",
    "auth_time": 1767225600,
    "roles": ["member"],
}


def contenders(algorithm: str) -> dict[str, Callable[[], object]]:
    """The same check by each library, ready to be called."""
    key = Jwk.generate(algorithm)
    token = jwt.sign_claims(CLAIMS, key, typ="at+jwt")
    parts = jws.split(token)
    row = ALGORITHMS[algorithm]
    others = [Jwk.generate("ES256").public(), Jwk.generate("Ed25519").public()]
    keys = JwkSet(others if row.kty == "oct" else [*others, key.public()])

    def mine() -> object:
        found = jws.split(token)
        chosen = key if row.kty == "oct" else keys.key_for(found.header, (algorithm,))
        jws.verify(found, chosen, (algorithm,))
        return jwt.parse_claims(found.payload)

    result = {"raw": _raw(algorithm, key, parts), "mapae": mine}
    if algorithm != "Ed25519":  # the name of RFC 9864 is not known everywhere
        theirs = key.to_dict() if row.kty == "oct" else key.public().to_dict()
        their_key = pyjwt.PyJWK(theirs)
        result["pyjwt"] = lambda: pyjwt.decode(
            token, their_key, algorithms=[algorithm], options={"verify_aud": False}
        )
        rfc_key = joserfc_jwk.import_key(theirs)
        result["joserfc"] = lambda: joserfc_jwt.decode(token, rfc_key, algorithms=[algorithm])
    return result


def _raw(algorithm: str, key: Jwk, parts: jws.Jws) -> Callable[[], object]:
    """The bare call into cryptography with everything prepared; for HMAC into the standard library."""
    digest = _DIGESTS.get(algorithm[-3:], hashes.SHA512())
    public, data, signature = key.public_key, parts.signing_input, parts.signature
    match ALGORITHMS[algorithm].kty:
        case "EC":
            half = len(signature) // 2
            r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
            der, scheme = utils.encode_dss_signature(r, s), ec.ECDSA(digest)
            return lambda: public.verify(der, data, scheme)
        case "RSA":
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
            fill = pss if algorithm.startswith("PS") else padding.PKCS1v15()
            return lambda: public.verify(signature, data, fill, digest)
        case "OKP":
            return lambda: public.verify(signature, data)
        case _:
            return lambda: hmac.digest(public, data, f"sha{algorithm[-3:]}")


def main(rounds: int) -> None:
    """Measure and print a table, in microseconds a check and as a multiple of the raw one."""
    warnings.simplefilter("ignore")  # others warn of the name EdDSA at every call
    print(f"{'µs':8}{'raw':>9}{'mapae':>9}{'x':>6}{'pyjwt':>9}{'x':>6}{'joserfc':>9}{'x':>6}")
    for algorithm in ALGORITHMS:
        calls = contenders(algorithm)
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                times[name].append(timeit.timeit(call, number=CALLS) / CALLS * 1e6)
        medians = {name: statistics.median(values) for name, values in times.items()}
        raw = medians.pop("raw")
        line = f"{algorithm:8}{raw:9.1f}"
        for name in ("mapae", "pyjwt", "joserfc"):
            median = medians.get(name)
            line += f"{median:9.1f}{median / raw:6.2f}" if median else f"{'-':>9}{'-':>6}"
        print(line)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 31)

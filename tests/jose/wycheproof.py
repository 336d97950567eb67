"""Runs vectors of Project Wycheproof, which are not part of this repository, against mapae.jose.

    python -m tests.jose.wycheproof FOLDER

FOLDER holds files such as ecdsa_secp256r1_sha256_p1363_test.json and json_web_signature_test.json; those of algorithms
that JOSE does not have are left out. A vector marked "acceptable" may go either way, and so may eight of
json_web_signature_test.json that contradict an RFC: 367 and 370 are the same token as 357, which is valid; 372 and
373 are valid only to a reader that skips question marks; 346 and 350 are signed with another algorithm than their key
is for (RFC 7517 section 4.4, and vector 340); the keys of 347 and 351 are for "ES521", which is none.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mapae.jose import base64url, jws
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.errors import JoseError
from mapae.jose.jwk import Jwk
from mapae.jose.jwks import JwkSet

Group = dict[str, Any]
Check = Callable[[], None]

_ECDSA = {"secp256r1_sha256": "ES256", "secp384r1_sha384": "ES384", "secp521r1_sha512": "ES512"}
_MISLABELLED = {346, 347, 350, 351, 367, 370, 372, 373}
_JWS = {"json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"}
_CURVES = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}


def algorithm_of(name: str) -> str | None:
    """The `alg` that the vectors in a file are for."""
    if name == "ed25519_test.json":
        return "Ed25519"
    if found := re.fullmatch(r"ecdsa_(secp\d+r1_sha\d+)_p1363_test\.json", name):
        return _ECDSA.get(found[1])
    if found := re.fullmatch(r"rsa_signature_\d+_sha(256|384|512)_test\.json", name):
        return f"RS{found[1]}"
    # RFC 7518 section 3.5: the salt has the size of the hash.
    if found := re.fullmatch(r"rsa_pss_\d+_sha(256|384|512)_mgf1_(32|48|64)_test\.json", name):
        return f"PS{found[1]}" if int(found[1]) == 8 * int(found[2]) else None
    return None


def key_of(group: Group, algorithm: str) -> Jwk:
    """The public key of a group of vectors."""
    members = group.get("publicKey") or group.get("key") or {}
    match ALGORITHMS[algorithm].kty:
        case "EC":
            crv, size = _CURVES[algorithm]
            coordinates = {name: int(members[f"w{name}"], 16).to_bytes(size) for name in ("x", "y")}
            return Jwk.parse({"kty": "EC", "crv": crv, **_encoded(coordinates)})
        case "RSA":
            numbers = {"n": members["modulus"], "e": members["publicExponent"]}
            return Jwk.parse(
                {"kty": "RSA", **_encoded({name: _octets(value) for name, value in numbers.items()})}
            )
        case _:
            return Jwk.parse(
                {"kty": "OKP", "crv": "Ed25519", **_encoded({"x": bytes.fromhex(members["pk"])})}
            )


def checks(path: Path) -> Iterator[tuple[str, str, Check]]:
    """Name, expected result and check of each vector in a file."""
    algorithm = algorithm_of(path.name)
    if algorithm is None and path.name not in _JWS:
        return
    mislabelled = _MISLABELLED if path.name == "json_web_signature_test.json" else set()
    for group in json.loads(path.read_text("utf-8"))["testGroups"]:
        for vector in group["tests"]:
            name = f"{path.name} {vector['tcId']} ({vector['comment']})"
            expected = "acceptable" if vector["tcId"] in mislabelled else vector["result"]
            if algorithm is not None:
                yield name, expected, _raw(group, vector, algorithm)
            elif "jws" in vector:
                yield name, expected, _jws(group, vector)


def _raw(group: Group, vector: Group, algorithm: str) -> Check:
    def check() -> None:
        key = key_of(group, algorithm)
        message, signature = (bytes.fromhex(vector[name]) for name in ("msg", "sig"))
        ALGORITHMS[algorithm].verify(key.public_key, message, signature)

    return check


def _jws(group: Group, vector: Group) -> Check:
    def check() -> None:
        keys = group.get("public") or group["private"]
        token = vector["jws"]
        text = token if isinstance(token, str) else json.dumps(token)  # the JSON serialization
        parts = jws.split(text, max_length=100_000)
        key = _chosen(keys, parts) if "keys" in keys else Jwk.parse(keys)
        jws.verify(parts, key, key.algorithms)

    return check


def _chosen(keys: Group, parts: jws.Jws) -> Jwk:
    shared = [entry for entry in keys["keys"] if entry["kty"] == "oct"]
    named = [entry for entry in shared if entry["kid"] == parts.header.get("kid")]
    if len(shared) == len(keys["keys"]) and len(named) == 1:
        return Jwk.parse(named[0])  # a `JwkSet` takes public keys only
    return JwkSet.parse(keys).key_for(parts.header, ALGORITHMS)


def _encoded(members: dict[str, bytes]) -> dict[str, str]:
    return {name: base64url.encode(octets) for name, octets in members.items()}


def _octets(text: str) -> bytes:
    number = int(text, 16)
    return number.to_bytes((number.bit_length() + 7) // 8)


def main(folder: Path) -> int:
    """Run what is there; 1 when a vector went wrong."""
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*.json")):
        for name, expected, check in checks(path):
            try:
                check()
                outcome = "valid"
            except JoseError:
                outcome = "invalid"
            except Exception as error:  # noqa: BLE001  # that there is none of these is what is tested
                outcome = type(error).__name__
            wrong = outcome not in (expected, "valid", "invalid") or expected not in (outcome, "acceptable")
            counts[f"{expected}, found {outcome}"] += 1
            if wrong:
                counts["wrong"] += 1
                print(f"{name}: {expected}, found {outcome}")
    for what, count in sorted(counts.items()):
        print(f"{count:6} {what}")
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

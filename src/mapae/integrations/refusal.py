"""The answer to a request whose token was rejected; every framework sends this one."""

from typing import NamedTuple

from mapae.jose import strict_json
from mapae.verifier import TokenRejected


class Refusal(NamedTuple):
    """An HTTP answer. `headers` leave out the length of `body`."""

    status: int
    headers: dict[str, str]
    members: dict[str, str]

    @property
    def body(self) -> bytes:
        """`members` as JSON."""
        return strict_json.dump(self.members)


def refusal(rejected: TokenRejected, *, realm: str, resource_metadata: str | None) -> Refusal:
    """The answer to `rejected`; `realm` and `resource_metadata` go into the challenge.

    Implements: RFC 6750 section 3; the body has the members of RFC 6749 section 5.2.
    """
    headers = {
        "WWW-Authenticate": rejected.challenge(realm=realm, resource_metadata=resource_metadata),
        "Cache-Control": "no-store",
    }
    members = {"error": str(rejected.error or rejected.code), "error_description": rejected.description}
    return Refusal(rejected.status, headers, members)

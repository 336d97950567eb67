"""Clients: the applications that may ask for tokens."""

import re
from dataclasses import dataclass, field
from typing import Final

from mapae.oauth.client_metadata import ClientMetadata
from mapae.server.domain.keys import DEFAULT_ALGORITHM
from mapae.server.domain.sessions import FIRST_PARTY_CLIENT_ID

#: What a `client_id` looks like: less than RFC 6749 appendix A.1 allows, and nothing that a database chokes on.
CLIENT_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. `secret_hash` is there where it authenticates with a secret; `created_at` NumericDate."""

    client_id: str
    metadata: ClientMetadata
    secret_hash: str | None = field(default=None, repr=False)
    created_at: int = 0

    @property
    def name(self) -> str:
        """What people are told it is called."""
        return self.metadata.client_name or self.client_id


#: Our own command line, which every server knows: `mapae login` in a browser. Not kept in the database.
COMMAND_LINE: Final = Client(
    FIRST_PARTY_CLIENT_ID,
    ClientMetadata(
        client_name="Mapae",
        application_type="native",
        redirect_uris=("http://127.0.0.1/callback", "http://[::1]/callback"),
        grant_types=("authorization_code", "refresh_token"),
        token_endpoint_auth_method="none",  # noqa: S106  # no password
        id_token_signed_response_alg=DEFAULT_ALGORITHM,
    ),
)

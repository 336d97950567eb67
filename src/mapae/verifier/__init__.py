"""What an API needs to believe a token without asking anybody."""

from mapae.misuse import Misuse
from mapae.verifier.access_token import AccessToken
from mapae.verifier.errors import RejectionCode, TokenRejected
from mapae.verifier.needs import NOTHING, Needs
from mapae.verifier.request import presented_token
from mapae.verifier.verifier import Verifier
from mapae.verifier.verifiers import Verifiers

__all__ = [
    "NOTHING",
    "AccessToken",
    "Misuse",
    "Needs",
    "RejectionCode",
    "TokenRejected",
    "Verifier",
    "Verifiers",
    "presented_token",
]

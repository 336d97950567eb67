"""What tests of an API need: an issuer in the process, keys made per run. Fixtures are in `mapae.testing.fixtures`."""

from mapae.testing.bad_tokens import BAD_TOKENS
from mapae.testing.clock import FixedClock
from mapae.testing.issuer import Issuer
from mapae.testing.serve import ServedIssuer, serve

__all__ = ["BAD_TOKENS", "FixedClock", "Issuer", "ServedIssuer", "serve"]

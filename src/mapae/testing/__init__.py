"""What tests of an API need: an issuer in the process, keys made per run."""

from mapae.testing.clock import FixedClock
from mapae.testing.issuer import Issuer

__all__ = ["FixedClock", "Issuer"]

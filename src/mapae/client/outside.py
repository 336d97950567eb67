"""What a session needs of the world: the time, random bytes, a way to send."""

from dataclasses import dataclass
from typing import Final

from mapae.client.transport import Send, send
from mapae.clock import Clock, monotonic_clock, system_clock
from mapae.entropy import Entropy, system_entropy
from mapae.jose import base64url
from mapae.secret import Secret


@dataclass(frozen=True, slots=True)
class Outside:
    """The world as it is; tests hand over another one."""

    clock: Clock = system_clock
    monotonic: Clock = monotonic_clock
    entropy: Entropy = system_entropy
    send: Send = send

    def draw(self) -> Secret:
        """A value that nobody can guess: 128 bits, 22 characters of base64url."""
        return Secret(base64url.encode(self.entropy(16)))


THE_WORLD: Final = Outside()

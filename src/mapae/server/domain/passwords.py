"""User names and passwords: prepared, compared, refused."""

from typing import Final

#: The most that one Argon2id hash may cost, ours or one from a set-up file; 256 MiB, 16 passes, 16 lanes.
MAX_MEMORY_KIB: Final = 256 * 1024
MAX_TIME_COST: Final = 16
MAX_PARALLELISM: Final = 16

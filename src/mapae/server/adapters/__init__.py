"""The outside world: hashing, signing, logging."""

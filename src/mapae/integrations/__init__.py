"""One file a framework: the verifier in its own idiom."""

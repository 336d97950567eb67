"""What tests of an API need: an issuer in the process, keys made per run."""

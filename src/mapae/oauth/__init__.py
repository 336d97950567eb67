"""The words of OAuth that server, verifier and client share. Pure."""

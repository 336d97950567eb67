"""Tokens that look after themselves: sign in, renew, send, sign out."""

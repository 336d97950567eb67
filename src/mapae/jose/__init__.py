"""JOSE: signed tokens and keys (RFC 7515, 7517 to 7519, 7638, 8037, 8725). Pure; needs only cryptography."""

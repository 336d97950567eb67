"""An orders API in FastAPI: scopes, roles, a fresh sign-in, and connections that end with their token."""

"""An orders API in plain WSGI, behind access tokens."""

"""An orders API with the authentication of Starlette itself."""

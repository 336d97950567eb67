"""A small API that believes access tokens and knows nothing else of the server that issues them."""

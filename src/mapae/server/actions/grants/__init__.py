"""How a token request of each grant type is answered."""

"""What an API needs to believe a token without asking anybody."""

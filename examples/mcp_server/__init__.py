"""Orders as tools of the Model Context Protocol, behind access tokens."""

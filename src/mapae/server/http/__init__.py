"""Who is talking: thin."""

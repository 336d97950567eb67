"""Mapae at work: `make run`, and small programs to copy from."""

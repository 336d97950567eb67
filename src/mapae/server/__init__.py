"""The server that issues. Composition root: `app.py`."""

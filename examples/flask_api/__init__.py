"""An orders API in Flask, behind access tokens."""

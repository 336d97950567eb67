"""An orders API in Django: plain views, sync and async, behind access tokens."""

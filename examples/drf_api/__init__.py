"""An orders API in Django REST framework, behind access tokens."""

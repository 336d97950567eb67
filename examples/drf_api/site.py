"""The site: its settings, its view, and the WSGI application that serves it."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from mapae import Verifier


def orders_site(verifier: Verifier) -> WSGIHandler:
    """The application. A project keeps these settings in its settings.py."""
    settings.configure(
        SECRET_KEY="signs nothing here",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["mapae.integrations.drf.BearerAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["mapae.integrations.drf.HasScopes"],
            "EXCEPTION_HANDLER": "mapae.integrations.drf.exception_handler",
        },
        MAPAE_VERIFIER=verifier,
        MAPAE_REALM="orders",
        ROOT_URLCONF="examples.drf_api.urls",
    )
    django.setup()
    return get_wsgi_application()

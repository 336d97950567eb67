"""The one Django that a process of tests has; each test gives it its URLs and its verifier."""

import django
from django.conf import settings

from mapae.testing import Issuer

ISSUER = Issuer(audience="https://api.example.com")

if not settings.configured:
    settings.configure(
        SECRET_KEY="of tests",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        MIDDLEWARE=[
            "django.middleware.csrf.CsrfViewMiddleware",
            "mapae.integrations.django.BearerMiddleware",
        ],
        MAPAE_VERIFIER=ISSUER.verifier(),
        MAPAE_REALM="orders",
        ROOT_URLCONF=(),
        LOGGING_CONFIG=None,
    )
    django.setup()


def bearer(**options: object) -> dict[str, str]:
    """The header with a token of `ISSUER`."""
    return {"Authorization": f"Bearer {ISSUER.token(**options)}"}  # type: ignore[arg-type]

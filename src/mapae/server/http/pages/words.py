"""Words of the pages that depend on a scope or an error code; marked here, translated where they are shown."""

from dataclasses import dataclass
from typing import Final


def translatable(words: str) -> str:
    """`words`, which stand in the translations."""
    return words


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What went wrong and what to do, in English."""

    title: str
    advice: str


#: What a client may do with an OpenID Connect scope, as the end of "it will be able to …".
_SCOPES: Final = {
    "openid": translatable("Know that it is you, each time you sign in"),
    "profile": translatable("See your name and other details of your profile"),
    "email": translatable("See your e-mail address"),
    "address": translatable("See your postal address"),
    "phone": translatable("See your phone number"),
    "offline_access": translatable("Keep this access while you are away, until you sign out"),
}

_AWAY: Final = ErrorWords(
    translatable("This cannot be done right now"),
    translatable("Wait a moment, then load this page again. Nothing is lost."),
)
_BROKEN: Final = ErrorWords(
    translatable("Something went wrong here"),
    translatable("It was not your doing. Try again; if it happens again, tell whoever runs this service."),
)
_STALE: Final = ErrorWords(
    translatable("This page is out of date"),
    translatable("Go back to the application and start again. Cookies have to be allowed for this site."),
)
_MANY: Final = ErrorWords(
    translatable("Too many attempts"), translatable("Wait a few minutes before you try again.")
)
_NOTHING: Final = ErrorWords(
    translatable("There is nothing at this address"),
    translatable("Check the address, or go back to where you came from."),
)
#: What to tell of a code. One that is not here says that the request was wrong.
ERRORS: Final = {
    "busy": _AWAY,
    "database_unavailable": _AWAY,
    "signing_unavailable": _AWAY,
    "temporarily_unavailable": _AWAY,
    "server_error": _BROKEN,
    "cross_site_request": _STALE,
    "too_many_attempts": _MANY,
    "not_found": _NOTHING,
    "method_not_allowed": _NOTHING,
}
_REQUEST: Final = ErrorWords(
    translatable("The application sent a request that cannot be answered"),
    translatable("Go back to the application and start again. If it happens again, tell whoever runs it."),
)


def scope_words(scope: str) -> str | None:
    """What a scope of OpenID Connect lets a client do; None for one of an API."""
    return _SCOPES.get(scope)


def error_words(code: str) -> ErrorWords:
    """What to tell a person of an error. Unless it is known to be ours, the request was wrong."""
    return ERRORS.get(code, _REQUEST)

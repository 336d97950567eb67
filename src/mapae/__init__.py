"""Token authentication. An API needs these four names; everything else is in the packages below."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapae.verifier import AccessToken, Misuse, TokenRejected, Verifier

__all__ = ["AccessToken", "Misuse", "TokenRejected", "Verifier"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Imported when asked for: the command line imports this package too, and has to start at once.
        if name in __all__:
            from mapae import verifier

            return getattr(verifier, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The verbs of `mapae`: names, modules and one-line helps. Importing this imports no verb."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Verb(NamedTuple):
    """One row of the table. The module holds a click command named `command`."""

    module: str
    summary: str


USER_VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "login": Verb("mapae.cli.login", "Sign in to a server and keep the tokens"),
        "status": Verb("mapae.cli.status", "Show who is signed in where, and for how long"),
        "switch": Verb("mapae.cli.switch", "Choose among several sign-ins"),
        "token": Verb("mapae.cli.token", "Print a valid access token, renewed when needed"),
        "exec": Verb("mapae.cli.exec", "Run a command with the access token in its environment"),
        "curl": Verb("mapae.cli.curl", "Run curl with the access token, out of sight of other users"),
        "logout": Verb("mapae.cli.logout", "End the session and delete its tokens"),
        "decode": Verb("mapae.cli.decode", "Show what is inside a token; needs no network"),
        "doctor": Verb("mapae.cli.doctor.command", "Check this device and its servers, and say what to do"),
    }
)

OPERATOR_VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "serve": Verb("mapae.cli.serve", "Run the server"),
        "apply": Verb("mapae.cli.apply", "Bring users, APIs and clients to what a file says"),
        "migrate": Verb("mapae.cli.migrate", "Bring the database to the newest schema"),
        "user": Verb("mapae.cli.user", "Create, list, disable and enable users"),
        "session": Verb("mapae.cli.session", "List and end sessions"),
        "client": Verb("mapae.cli.client", "List, show and remove clients"),
        "key": Verb("mapae.cli.key", "List, rotate and revoke the keys that sign"),
        "config": Verb("mapae.cli.config", "Check the settings"),
    }
)

VERBS: Final[Mapping[str, Verb]] = MappingProxyType({**USER_VERBS, **OPERATOR_VERBS})

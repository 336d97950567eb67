"""Options that several of the user's verbs have."""

import click

issuer_option = click.option(
    "--issuer", metavar="URL", help="The server; by default the last one signed in to."
)

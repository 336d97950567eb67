"""The entry point of `mapae`: runs the verb, turns every failure into one line and an exit code."""

import sys

from mapae.cli.errors import CommandFailed, ExitCode
from mapae.cli.verbs import OPERATOR_VERBS


def main() -> int:
    """Run the command line in `sys.argv`; the answer is an exit code of contract section 3.

    Exceptions nobody foresaw are left to the interpreter: a bug report needs their traceback.
    """
    try:
        if sys.argv[1:] == ["token"]:
            return _print_token()
        return _run()
    except CommandFailed as failure:
        message, exit_code = failure.message, failure.exit_code
    except KeyboardInterrupt:
        message, exit_code = "interrupted", ExitCode.INTERRUPTED
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "mapae":
            raise
        message, exit_code = _how_to_install(missing.name), ExitCode.USAGE
    print("mapae:", " ".join(message.split()), file=sys.stderr)  # noqa: T201
    return exit_code


def _print_token() -> int:
    """`mapae token` without options, as shell prompts call it: without the import of click, a fifth of its time."""
    from mapae.cli.signed_in import access_token

    print(access_token())  # noqa: T201
    return ExitCode.DONE


def _run() -> int:
    import click  # here, so that an installation without the command's packages can say so

    from mapae.cli.group import mapae

    try:
        exit_code = mapae.main(prog_name="mapae", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as wanted:
        wanted.show()
        return ExitCode.USAGE
    except click.UsageError as wrong:
        hint = f"; see `{wrong.ctx.command_path} --help`" if wrong.ctx else ""
        raise CommandFailed(wrong.format_message().rstrip(".") + hint, ExitCode.USAGE) from None
    except click.ClickException as wrong:  # a file that cannot be opened
        raise CommandFailed(wrong.format_message(), ExitCode.USAGE) from None
    except click.Abort:
        raise KeyboardInterrupt from None
    # click answers what the verb returned, or the code of `ctx.exit()`.
    return exit_code if isinstance(exit_code, int) else ExitCode.DONE


def _how_to_install(package: str) -> str:
    if package == "pkcs11":
        extra = package
    else:
        extra = "server" if OPERATOR_VERBS.keys() & sys.argv[1:2] and package != "click" else "client"
    return f"the Python package {package!r} is not installed; run: pip install 'mapae[{extra}]'"

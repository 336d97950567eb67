"""What an import costs is a promise: no web framework, no HTTP client, no database, nothing before it is used."""

import subprocess
import sys

import pytest

FRAMEWORKS = {"starlette", "fastapi", "pydantic", "uvicorn", "django", "flask"}
CLIENTS = {"httpx", "requests", "aiohttp", "anyio"}
SERVER = {"sqlalchemy", "structlog", "click", "asyncpg", "alembic"}


def _loaded_by(statement: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; {statement}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    ["from mapae import Verifier", "import mapae.integrations.asgi", "from mapae.testing import Issuer"],
)
def test_a_resource_server_needs_cryptography_and_nothing_else(statement: str) -> None:
    loaded = _loaded_by(statement)

    assert "cryptography" in loaded
    assert not loaded & (FRAMEWORKS | CLIENTS | SERVER)


def test_importing_the_package_loads_nothing() -> None:
    assert not _loaded_by("import mapae") & (
        FRAMEWORKS | CLIENTS | SERVER | {"cryptography", "asyncio", "ssl"}
    )


def test_the_paved_path_is_four_names() -> None:
    import mapae
    from mapae import verifier

    assert {getattr(mapae, name) for name in mapae.__all__} == {
        verifier.AccessToken, verifier.Misuse, verifier.TokenRejected, verifier.Verifier,
    }  # fmt: skip
    with pytest.raises(AttributeError, match="Verifyer"):
        _ = mapae.Verifyer  # type: ignore[attr-defined]


def test_the_misuse_of_the_client_is_one_too() -> None:
    import mapae
    from mapae import client

    assert issubclass(client.Misuse, mapae.Misuse)

"""The log: one shape for all libraries, and no secret in it, whichever way it came in."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from mapae.secret import Secret
from mapae.server.adapters.log import configure_logging

REFRESH = "mpr_" + "Ab-9_" * 12 + "wxyz"
JWS = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def log() -> Any:
    configure_logging("json", "info")
    return structlog.get_logger()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_time_level_event_and_request(
    log: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1")
    log.info("refreshed", turn=3)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "refreshed", "request_id": "r-1", "turn": 3}


def test_lines_below_the_level_are_not_written(log: Any, capsys: pytest.CaptureFixture[str]) -> None:
    log.debug("detail")
    logging.getLogger("uvicorn.error").debug("detail")
    assert lines(capsys) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"password": PASSWORD},
        {"new_password": PASSWORD},
        {"headers": {"Authorization": PASSWORD, "Cookie": PASSWORD, "Set-Cookie": PASSWORD}},
        {"body": [{"access_token": PASSWORD}, {"client_secret": [PASSWORD]}]},
        {"anything": Secret(PASSWORD)},
        {"anything": (Secret(PASSWORD),)},
        {"anything": f"refused {REFRESH} from here"},
        {"anything": {"deep": [f"https://example.com/?t={JWS}&x=1"]}},
        {"anything": JWS.rpartition(".")[0]},
        {"anything": REFRESH.encode()},
        {"anything": ValueError(REFRESH)},
        {"anything": "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43},
        {"anything": "postgresql://mapae:hunter2hunter2@db.example.com/mapae"},
        {"code": "SplxlOBeZQQYbYS6WxSbIA"},
        {"anything": "GET /callback?code=SplxlOBeZQQYbYS6WxSbIA&state=1"},
    ],
)
@pytest.mark.parametrize("style", ["json", "human"])
def test_no_secret_is_written(style: str, fields: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(style, "info")
    structlog.get_logger().info("happened", **fields)
    written = capsys.readouterr().err
    assert "happened" in written
    for secret in (PASSWORD, REFRESH, JWS, JWS.split(".")[1], "hunter2", "SplxlOBe", "AAAAAAAA"):
        assert secret not in written


def test_what_is_no_secret_is_written(log: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {
        "code": "invalid_credentials",
        "token_size": 480,
        "url": "https://eyes.example.com/eyebrows.html",
        "client_id": "web",
        "session_id": "Ab-9_Ab-9_Ab",
    }
    log.info("happened", **fields)
    (line,) = lines(capsys)
    assert {name: line[name] for name in fields} == fields


def test_an_exception_is_told_without_secrets_and_without_local_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for style in ("json", "human"):
        configure_logging(style, "info")
        try:
            _fail(PASSWORD)
        except ValueError:
            structlog.get_logger().exception("failed")
    written = capsys.readouterr().err
    assert written.count("ValueError: [hidden]") == 2
    assert REFRESH not in written
    assert PASSWORD not in written


def test_other_libraries_lines_have_the_same_shape_and_no_secrets(
    log: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("uvicorn.error").info("bound %s", REFRESH)
    logging.getLogger("some.library").warning("odd")
    first, second = lines(capsys)
    assert first["event"] == "bound [hidden]"
    assert (second["event"], second["level"], second["logger"]) == ("odd", "warning", "some.library")


def test_statements_and_request_targets_stay_out_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "debug")
    for name in ("sqlalchemy.engine.Engine", "aiosqlite", "uvicorn.access", "httpx"):
        logging.getLogger(name).info("INSERT … VALUES (%s)", "alice@example.com")
    assert lines(capsys) == []


def test_configuring_twice_does_not_write_twice(log: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "info")
    logging.getLogger("uvicorn").info("once")
    assert len(lines(capsys)) == 1


def test_a_line_stays_one_line(log: Any, capsys: pytest.CaptureFixture[str]) -> None:
    log.info("one\ntwo", value="three\nfour\ud800")
    (line,) = lines(capsys)
    assert line["event"] == "one\ntwo"


def _fail(password: str) -> None:  # a local variable of the traceback
    raise ValueError(REFRESH)

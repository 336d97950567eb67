"""Tokens that look after themselves: sign in, renew, send, sign out."""

from mapae.client.errors import (
    AnswerLost,
    ClientError,
    InvalidCredentials,
    LoginRefused,
    LoginRequired,
    Misuse,
    StepUpRequired,
    StoreFailed,
    TooManyAttempts,
    Unavailable,
    UnexpectedAnswer,
)
from mapae.client.session import Session
from mapae.client.store import FileStore, MemoryStore, Store

__all__ = [
    "AnswerLost",
    "ClientError",
    "FileStore",
    "InvalidCredentials",
    "LoginRefused",
    "LoginRequired",
    "MemoryStore",
    "Misuse",
    "Session",
    "StepUpRequired",
    "Store",
    "StoreFailed",
    "TooManyAttempts",
    "Unavailable",
    "UnexpectedAnswer",
]

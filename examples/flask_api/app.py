"""Orders: everyone sees and adds their own; strangers are greeted; an admin who has just signed in clears them all."""

from flask import Flask, request
from flask.typing import ResponseReturnValue

from mapae import Verifier
from mapae.integrations.flask import Guard
from mapae.verifier import Needs


def orders_app(verifier: Verifier) -> Flask:
    """The application."""
    app, guard = Flask(__name__), Guard(verifier, realm="orders")
    items: list[tuple[str, str]] = []

    @app.get("/")
    @guard.optional
    def hello() -> ResponseReturnValue:
        return f"Hello, {guard.presented.subject if guard.presented else 'stranger'}.\n"

    @app.get("/orders")
    @guard.require("orders:read")
    def read() -> ResponseReturnValue:
        return {"orders": [item for owner, item in items if owner == guard.token.subject]}

    @app.post("/orders")
    @guard.require("orders:write")
    def order() -> ResponseReturnValue:
        items.append((guard.token.subject, request.args["item"]))
        return "", 201

    @app.delete("/orders")
    @guard.require("orders:write", needs=Needs(roles=["admin"], fresh_s=300))
    def clear() -> ResponseReturnValue:
        items.clear()
        return "", 204

    return app

"""Run the orders API.

python -m examples.orders_api --issuer http://localhost:8000 --audience http://localhost:8001 --port 8001
"""

import argparse

import uvicorn

from examples.orders_api.app import orders_app
from mapae import Verifier

parser = argparse.ArgumentParser(prog="python -m examples.orders_api", description="A sample API.")
parser.add_argument("--issuer", default="http://localhost:8000", help="whose tokens to believe")
parser.add_argument("--audience", default="http://localhost:8001", help="what they have to be for")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", default=8001, type=int)
parser.add_argument("--leeway", default=30, type=int, help="seconds that the clocks may be apart")
options = parser.parse_args()

verifier = Verifier(issuer=options.issuer, audience=options.audience, leeway_s=options.leeway)
uvicorn.run(orders_app(verifier), host=options.host, port=options.port, log_level="warning")

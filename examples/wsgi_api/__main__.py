"""Run the orders API in plain WSGI.

python -m examples.wsgi_api --issuer http://localhost:8000 --audience http://localhost:8001 --port 8001
"""

import argparse
from wsgiref.simple_server import make_server

from examples.wsgi_api.app import orders_app
from mapae import Verifier

parser = argparse.ArgumentParser(
    prog="python -m examples.wsgi_api", description="A sample API in plain WSGI."
)
parser.add_argument("--issuer", default="http://localhost:8000", help="whose tokens to believe")
parser.add_argument("--audience", default="http://localhost:8001", help="what they have to be for")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", default=8001, type=int)
options = parser.parse_args()

app = orders_app(Verifier(issuer=options.issuer, audience=options.audience))
with make_server(options.host, options.port, app) as server:
    server.serve_forever()

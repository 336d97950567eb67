"""Run the MCP server.

python -m examples.mcp_server --issuer http://localhost:8000 --audience http://localhost:8001/mcp --port 8001
"""

import argparse

import uvicorn

from examples.mcp_server.server import orders_app
from mapae import Verifier

parser = argparse.ArgumentParser(prog="python -m examples.mcp_server", description="A sample MCP server.")
parser.add_argument("--issuer", default="http://localhost:8000", help="whose tokens to believe")
parser.add_argument("--audience", default="http://localhost:8001/mcp", help="what they have to be for")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", default=8001, type=int)
options = parser.parse_args()

verifier = Verifier(issuer=options.issuer, audience=options.audience)
uvicorn.run(orders_app(verifier, options.audience), host=options.host, port=options.port, log_level="warning")

"""Run the orders service.

python -m examples.grpc_api --issuer http://localhost:8000 --audience http://localhost:8001 --port 8001
"""

import argparse
import asyncio

from examples.grpc_api.service import serve
from mapae import Verifier

parser = argparse.ArgumentParser(
    prog="python -m examples.grpc_api", description="A sample service over gRPC."
)
parser.add_argument("--issuer", default="http://localhost:8000", help="whose tokens to believe")
parser.add_argument("--audience", default="http://localhost:8001", help="what they have to be for")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", default=8001, type=int)
options = parser.parse_args()

verifier = Verifier(issuer=options.issuer, audience=options.audience)
asyncio.run(serve(verifier, f"{options.host}:{options.port}"))

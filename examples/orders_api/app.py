"""Orders: everyone sees and adds their own, the role `admin` sees all."""

from dataclasses import asdict, dataclass, field

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mapae import AccessToken, Verifier
from mapae.integrations.asgi import BearerMiddleware


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody ordered."""

    number: int
    owner: str
    item: str


@dataclass(slots=True)
class Orders:
    """All orders, in memory: they are gone when the process ends."""

    _all: list[Order] = field(default_factory=list)

    def add(self, owner: str, item: str) -> Order:
        """Note down an order."""
        order = Order(len(self._all) + 1, owner, item)
        self._all.append(order)
        return order

    def visible_to(self, token: AccessToken) -> list[Order]:
        """Those that the bearer of `token` may see."""
        return [order for order in self._all if "admin" in token.roles or order.owner == token.subject]


def orders_app(verifier: Verifier) -> Starlette:
    """The application. Every request needs a token; what more it needs, each view says."""
    orders = Orders()

    async def list_orders(request: Request) -> JSONResponse:
        token: AccessToken = request.state.token
        token.require("orders:read")
        return JSONResponse({"orders": [asdict(order) for order in orders.visible_to(token)]})

    async def create_order(request: Request) -> JSONResponse:
        token: AccessToken = request.state.token
        token.require("orders:write")
        try:
            item = (await request.json())["item"]
        except (ValueError, TypeError, KeyError):
            item = None
        if not isinstance(item, str):
            return JSONResponse({"error": 'The body has to be {"item": "..."}.'}, status_code=400)
        return JSONResponse(asdict(orders.add(token.subject, item)), status_code=201)

    return Starlette(
        routes=[
            Route("/orders", list_orders, methods=["GET"]),
            Route("/orders", create_order, methods=["POST"]),
        ],
        middleware=[Middleware(BearerMiddleware, verifier)],
    )

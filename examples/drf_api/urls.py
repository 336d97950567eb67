"""The view, and where it is."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mapae.integrations.drf import token_of

_items: list[tuple[str, str]] = []


class OrderSerializer(serializers.Serializer[dict[str, str]]):
    """An order as it comes in."""

    item = serializers.CharField()


class Orders(APIView):
    """Orders of the bearer; the role `admin` sees all."""

    def get(self, request: Request) -> Response:
        """List them."""
        token = token_of(request)
        token.require("orders:read")
        return Response(
            {"orders": [item for owner, item in _items if owner == token.subject or "admin" in token.roles]}
        )

    def post(self, request: Request) -> Response:
        """Add one."""
        token = token_of(request)
        token.require("orders:write")
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        _items.append((token.subject, order.validated_data["item"]))
        return Response(order.validated_data, status=201)


urlpatterns = [path("orders", Orders.as_view())]

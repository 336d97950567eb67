"""The session as call credentials of gRPC."""

from typing import TYPE_CHECKING

from mapae.client.authorizer import Authorizer, bearer
from mapae.client.errors import ClientError

if TYPE_CHECKING:
    from grpc import AuthMetadataContext, AuthMetadataPlugin, AuthMetadataPluginCallback
else:
    AuthMetadataPlugin = object  # gRPC only calls it


class GrpcToken(AuthMetadataPlugin):
    """Adds the token to calls to its origins. gRPC asks for each call and each retry, in a thread of its own.

    gRPC shows credentials no answers: a token that a server refuses is renewed when it grows old, or by
    `Session.refresh`.
    """

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def __call__(self, context: "AuthMetadataContext", callback: "AuthMetadataPluginCallback") -> None:
        """Hand over the metadata of one call, or why there is none."""
        if not self._authorizer.covers(context.service_url):
            callback((), None)
            return
        session = self._authorizer.session
        try:
            token = session.ready() or session.token(0)
        except ClientError as problem:
            callback((), problem)
        else:
            callback((("authorization", bearer(token)),), None)

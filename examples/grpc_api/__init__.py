"""An orders service over gRPC, behind access tokens."""

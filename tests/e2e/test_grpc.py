"""gRPC through a Service of the model's own and a host name of its own."""

import pytest
import tritonclient.grpc
from bundle_store import BundleStore
from callers import assert_labels_right, grpc, grpc_client, wait_for_grpc_route, wait_for_route
from space import Space
from test_downloads import DIGITS, downloaded


def test_every_sample(space: Space, store: BundleStore) -> None:
    space.apply(*downloaded(space, store.put(DIGITS, "digits")))
    space.wait_until_ready("digits")
    wait_for_route(space, "digits")
    wait_for_grpc_route(space, "digits")
    assert_labels_right(space, "digits", grpc)
    with pytest.raises(tritonclient.grpc.InferenceServerException, match=r"UNIMPLEMENTED|404"):
        grpc_client(space, "digits").get_model_repository_index()

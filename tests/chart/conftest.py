"""Without helm none of these tests can run."""

import pytest
from rendering import HELM


@pytest.fixture(autouse=True)
def helm() -> None:
    if HELM is None:
        pytest.skip("helm is not installed, and `make tools` could not build it")

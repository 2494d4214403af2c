"""What `make run` takes from the server's options for the page."""

from typing import Any

import pytest

from frontend.laptop import find_limits


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ([], {}),
        (["--models", "models/digits", "--page-port", "0"], {}),
        (["--max-body-bytes=5", "--body-timeout-seconds", "7200"], {"max_body_bytes": 5, "body_timeout_seconds": 7200}),
        (["--timeout-seconds", "60"], {"timeout_seconds": 60}),
        (["--timeout-seconds", "5"], {"timeout_seconds": 30}),
    ],
)
def test_the_page_waits_no_shorter_and_takes_no_less_than_the_server(
    options: list[str], limits: dict[str, Any]
) -> None:
    assert find_limits(options) == limits

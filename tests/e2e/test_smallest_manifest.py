"""manifests/digits.yaml, under a host name of the test's own: a label through every REST door and the Ingress."""

import pytest
from callers import REST, assert_labels_right, wait_for_route
from space import Space, read_manifest, the


def test_every_rest_door_labels_every_sample(space: Space) -> None:
    space.apply(*read_manifest("digits.yaml", space))
    space.wait_until_ready("digits")
    wait_for_route(space, "digits")
    for door in REST.values():
        assert_labels_right(space, "digits", door)
    assert space.events("FailedCreate") == []


def test_its_pod_is_what_restricted_asks_for(space: Space) -> None:
    space.apply(*read_manifest("digits.yaml", space))
    space.wait_until_ready("digits")
    (pod,) = space.pods("digits")
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("field", ["seccompProfile", "allowPrivilegeEscalation", "capabilities", "runAsNonRoot"])
def test_restricted_is_enforced(space: Space, field: str) -> None:
    documents = read_manifest("digits.yaml", space)
    service = the("InferenceService", documents)
    del service["spec"]["predictor"]["containers"][0]["securityContext"][field]
    space.apply(service)
    space.wait_for_event("FailedCreate", field)
    assert space.pods("digits") == []
    assert not space.is_ready("digits")

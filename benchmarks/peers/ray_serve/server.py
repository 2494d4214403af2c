"""A deployment, as Ray Serve's documentation has it, with dynamic request batching."""

import threading

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.peers.loopback import ADDRESS
from benchmarks.peers.ray_serve.loopback import keep_to_loopback
from benchmarks.peers.resnet import BATCH, BATCH_SECONDS, PORT, THREADS, WORKERS, Classifier, decode

LOGGING = {"enable_access_log": False}


@serve.deployment(
    num_replicas=WORKERS,
    max_ongoing_requests=256,
    ray_actor_options={"num_cpus": THREADS},
    logging_config=LOGGING,
)
class ResNet:
    """An image as the body, its class as JSON."""

    def __init__(self) -> None:
        self._classifier = Classifier()

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=BATCH_SECONDS)
    async def classify_batch(self, images: list[bytes]) -> list[int]:
        """Return the class of each image."""
        return self._classifier.classify([decode(image) for image in images])

    async def __call__(self, request: Request) -> dict[str, int]:
        """Answer a request."""
        image = await request.body()
        if BATCH > 1:
            return {"class": await self.classify_batch(image)}
        return {"class": self._classifier.classify([decode(image)])[0]}


if __name__ == "__main__":
    keep_to_loopback()
    hook = f"{keep_to_loopback.__module__}.{keep_to_loopback.__name__}"
    ray.init(include_dashboard=False, _node_ip_address=ADDRESS, runtime_env={"worker_process_setup_hook": hook})
    serve.start(http_options={"host": ADDRESS, "port": PORT}, logging_config=LOGGING)  # of what hands requests over
    serve.run(ResNet.bind())  # type: ignore[attr-defined]  # the decorator made it a deployment
    threading.Event().wait()

"""``vision-server`` and ``python -m model_server``: everything is wired here, and nowhere else."""

import logging
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from model_server.allocator import Allocator
from model_server.authorization import Authorization
from model_server.batching import Batcher
from model_server.bundle import Bundle
from model_server.classifier import Classifier
from model_server.cpu_limit import cpu_limit
from model_server.drain import Phase
from model_server.engine import load_engine, runs_here
from model_server.errors import BundleError, StartError
from model_server.imaging import Imaging
from model_server.manifest import Variant, select_variant
from model_server.metrics import Metrics, ModelMetrics
from model_server.settings import Settings, parse_settings
from model_server.shelf import Shelf

if TYPE_CHECKING:
    from model_server.predictor import VisionModel
    from model_server.repository import BundleRepository


ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - only compared with


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal; return the exit status, 1 where the server could not start."""
    settings = parse_settings(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):  # until there is something to drain; PID 1 has no default
        signal.signal(number, lambda *_: sys.exit(0))
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would log is raised as well
    allocator = Allocator(os.environ)
    allocator.configure()
    _configure_logging(settings)
    try:
        _serve(settings, allocator)
    except (BundleError, StartError) as error:
        print(f"vision-server: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(settings: Settings, allocator: Allocator) -> None:
    # these import kserve, which takes a second that --help and a mistyped option should not take
    from model_server.grpc_calls import InferenceHandler
    from model_server.grpc_port import GrpcPort
    from model_server.lifecycle import VisionServer
    from model_server.metrics_app import build_metrics_app
    from model_server.procedures import Procedures
    from model_server.repository import BundleRepository
    from model_server.routes import build_app

    authorization = Authorization(settings.repository_token_file)
    shelf = Shelf(settings.models, settings.named_models)
    metrics = Metrics()
    threads = settings.threads or cpu_limit()
    with ThreadPoolExecutor(threads, thread_name_prefix="imaging") as pool:
        repository = BundleRepository(
            partial(_build_classifier, settings=settings, threads=threads, pool=pool),
            partial(
                select_variant,
                precision=settings.precision,
                device=settings.device,
                engine=settings.engine,
                runs_here=runs_here,
            ),
            metrics,
            max_images=settings.max_images,
            shelf=shelf,
        )
        for folder, name in shelf.find_all():
            repository.register(folder, name)
        phase = Phase()
        app = build_app(
            repository,
            phase,
            authorization,
            max_body_bytes=settings.max_body_bytes,
            body_timeout_seconds=settings.body_timeout_seconds,
            access_log=settings.access_log,
        )
        handler = InferenceHandler(
            Procedures(repository, authorization, phase).by_name(),
            phase,
            body_timeout_seconds=settings.body_timeout_seconds,
            access_log=settings.access_log,
        )
        grpc_port = GrpcPort(
            handler,
            settings.host,
            settings.grpc_port,
            max_message_bytes=settings.max_body_bytes,
            connect_seconds=settings.body_timeout_seconds,
        )
        metrics_app = build_metrics_app(metrics.registry, repository)
        announce = partial(_announce, repository, settings.host)
        VisionServer(repository, app, metrics_app, grpc_port, phase, settings, allocator, announce).run()


def _build_classifier(
    bundle: Bundle, variant: Variant, metrics: ModelMetrics, *, settings: Settings, threads: int, pool: Executor
) -> Classifier:
    files = [bundle.read(file) for file in variant.files]
    try:
        engine = load_engine(bundle.manifest, variant, files, threads)
    except BundleError as error:
        raise BundleError(f"{bundle.folder}: {error}") from error
    return Classifier(
        bundle,
        variant,
        imaging=Imaging(bundle.manifest.preprocessing, settings.max_image_pixels, metrics.image_pixels.observe),
        batcher=Batcher(
            engine.infer,
            narrow=[stream.infer for stream in engine.narrow],
            light=engine.light,
            max_batch=settings.max_batch,
            queue_size=settings.queue_size,
            metrics=metrics,
        ),
        metrics=metrics,
        pool=pool,
        max_images=settings.max_images,
        default_timeout_seconds=settings.timeout_seconds,
    )


def _announce(repository: "BundleRepository", host: str, http_port: int, grpc_port: int, metrics_port: int) -> None:
    models = repository.vision_models()
    served = ", ".join(f"{m.name} ({m.variant.precision} on {m.variant.engine}, {m.signature.version})" for m in models)
    host = "127.0.0.1" if host in ANY_ADDRESS else f"[{host}]" if ":" in host else host
    address = f"http://{host}:{http_port}"
    lines = [
        f"Serving  {served}",
        f"Address  {address}",
        f"gRPC     {host}:{grpc_port}",
        f"Metrics  http://{host}:{metrics_port}/metrics",
    ]
    if models:  # they may be unloaded again already
        lines.append(f"Try      {_write_command(max(models, key=_sample_count), address)}")
    print("\n".join(lines), flush=True)


def _sample_count(model: "VisionModel") -> int:
    return len(model.bundle.manifest.samples)


def _write_command(model: "VisionModel", address: str) -> str:
    samples = model.bundle.manifest.samples
    picture = model.bundle.folder / samples[0].path if samples else Path("cat.jpg")
    if picture.is_relative_to(Path.cwd()):
        picture = picture.relative_to(Path.cwd())
    return shlex.join(["curl", "--data-binary", f"@{picture}", f"{address}/model/{model.name}/predict"])


def _configure_logging(settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO, force=True)
    access = logging.getLogger("model_server.access")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    access.addHandler(handler)
    access.propagate = False
    access.disabled = not settings.access_log
    for name in ("kserve", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())

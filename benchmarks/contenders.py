"""Servers that are compared: ours, and the peers in each of their configurations."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks import photographs
from benchmarks.decks import Deck, make_deck, write_deck
from benchmarks.efficiency import Served, load_server
from benchmarks.load_client import LoadError, send
from benchmarks.peers.peer import Peer
from benchmarks.peers.running import install, running
from benchmarks.resnet_bundle import BUNDLE
from benchmarks.servers import Server, ServerError, serve_ours

WARM_UP_SECONDS = 2.0
PHOTOGRAPHS: dict[str, Callable[[], list[bytes]]] = {"jpeg": photographs.jpegs, "large": photographs.large_jpegs}


@dataclass(frozen=True)
class Contender:
    """A server in one configuration.

    Attributes:
        peer: Whose it is; None is ours, which has no configuration to choose.
        workers: How many processes have the model.
        batch: The largest number of images that the engine gets at once.
        draft: Let Pillow scale a photograph while it decodes it.
    """

    peer: Peer | None = None
    workers: int = 1
    batch: int = 1
    draft: bool = False

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.peer.name if self.peer else "ours"

    @property
    def configuration(self) -> str:
        """Return what tells it from others of that name."""
        if not self.peer:
            return ""
        return f"{self.workers} worker{'s' * (self.workers > 1)} of {self.batch}{', draft' * self.draft}"

    def __str__(self) -> str:
        return f"{self.name}, {self.configuration}" if self.peer else self.name

    def serve(self) -> AbstractContextManager[Server]:
        """Run it until the context ends."""
        if not self.peer:
            return serve_ours([BUNDLE])
        image = photographs.jpegs(1)[0]
        return running(self.peer, install(self.peer), self.workers, self.batch, image, draft=self.draft)

    def make_deck(self, images: str) -> Deck:
        """Write the requests that it gets, of JPEGs (``jpeg``) or of those of a telephone (``large``)."""
        if not self.peer:
            return make_deck("v2", images, BUNDLE.name)
        requests = [self.peer.build_request(image) for image in PHOTOGRAPHS[images]()]
        return write_deck(f"{self.peer.folder}-{images}", requests)


OURS = Contender()


def measure(contender: Contender, images: str, clients: Sequence[int], seconds: float) -> dict[int, Served]:
    """Start a contender, let it warm up, and measure it at every number of clients.

    One that fails is no reason to lose what others did: then this is said, and nothing returned.
    """
    try:
        deck = contender.make_deck(images)
        with contender.serve() as server:
            send(deck, server.http, seconds=WARM_UP_SECONDS, clients=max(clients)).check()
            return {number: load_server(server, deck, number, seconds) for number in clients}
    except (LoadError, ServerError) as error:
        print(f"  {contender} failed: {error}", flush=True)
        return {}

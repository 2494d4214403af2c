"""A telephone's photograph of 12 megapixels, one client: how long it takes, beside the peer that is the quickest at it.

The peers decode with Pillow: in full, as most would, and again with ``Image.draft``, which scales while it decodes.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from benchmarks.contenders import OURS, Contender, measure
from benchmarks.report import print_table

FULL, DRAFT = "Pillow in full", "Pillow draft"
Times = dict[str, tuple[Contender, float]]
"""The contender and its p50 in milliseconds, by how it decodes."""


def compare_large(peers: Iterable[Contender], rounds: int, seconds: float) -> list[Times]:
    """Find the quickest peer of each kind, and measure them and ours side by side, once a round."""
    print("\n12 megapixels, one client: p50 in ms", flush=True)
    quickest = {}
    for kind, draft in ((FULL, False), (DRAFT, True)):
        tried = {
            each: time for each in (replace(peer, draft=draft) for peer in peers) if (time := _time(each, seconds))
        }
        if tried:
            quickest[kind] = min(tried, key=lambda each: tried[each])
    contenders = {OURS.name: OURS, **quickest}
    found = []
    for _ in range(rounds):
        times = {kind: (each, _time(each, seconds)) for kind, each in contenders.items()}
        found.append({kind: (each, time) for kind, (each, time) in times.items() if time})
    return found


def ratios_of(rounds: Sequence[Times]) -> dict[str, float]:
    """Return how many times as long the peers take as ours: the median of each round's."""
    ratios = {}
    for kind in (FULL, DRAFT):
        if found := [each[kind][1] / each[OURS.name][1] for each in rounds if {kind, OURS.name} <= each.keys()]:
            ratios[f"12 megapixels, {kind} / ours"] = statistics.median(found)
    return ratios


def rows_of(rounds: Sequence[Times]) -> list[dict[str, object]]:
    """Return the median of the rounds for each way to decode."""
    rows: list[dict[str, object]] = []
    for kind in dict.fromkeys(kind for each in rounds for kind in each):
        found = [each[kind] for each in rounds if kind in each]
        rows.append({"decoded by": kind, "server": str(found[0][0]), "p50 ms": statistics.median(t for _, t in found)})
    return rows


def print_large(rounds: Sequence[Times], ratios: Mapping[str, float]) -> None:
    """Print the medians."""
    print()
    print_table(rows_of(rounds))
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}")


def _time(contender: Contender, seconds: float) -> float | None:
    served = measure(contender, "large", [1], seconds)
    if not served:
        return None
    time = served[1].load.latency["ok"]["p50"]
    print(f"  {contender!s:44}{time:8.1f}", flush=True)
    return time

# SPDX-License-Identifier: Apache-2.0
"""Medians and spreads of rounds."""
import math
import statistics


def summary(name: str, rounds: list[float], digits: int = 1) -> dict[str, float]:
    """The median under `name`; the lowest and highest round under `name`_min and `name`_max."""
    return {name: round(statistics.median(rounds), digits),
            f"{name}_min": round(min(rounds), digits),
            f"{name}_max": round(max(rounds), digits)}


def standard_error(samples: list[float]) -> float:
    """Of the mean of `samples`."""
    return statistics.stdev(samples) / math.sqrt(len(samples)) if len(samples) > 1 else math.inf


def percentile(samples: list[float], share: float) -> float:
    """The nearest-rank percentile: the smallest sample with at least `share` (0..1) of them at or below it."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

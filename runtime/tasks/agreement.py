"""How well predictions agree with what is right: numbers by correlation, classes by their counts.

A measure that is not defined, such as the correlation with a constant, is left out.
"""

from collections.abc import Sequence

import numpy as np


def correlations(predicted: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Return `pearson` and `spearman` of two columns `[rows]`, as far as they are defined."""
    found = {
        "pearson": _pearson(predicted.astype(np.float64), right.astype(np.float64)),
        "spearman": _pearson(_ranks(predicted), _ranks(right)),
    }
    return {name: value for name, value in found.items() if value is not None}


def root_mean_square(predicted: np.ndarray, right: np.ndarray) -> float:
    """Return the root of the mean squared distance of two columns `[rows]`."""
    return float(np.sqrt(np.mean(np.square(predicted.astype(np.float64) - right))))


def f1(predicted: Sequence[str], right: Sequence[str], positive: str) -> float:
    """Return the F1 of one class; 0 where it is neither predicted nor right."""
    pairs = list(zip(predicted, right, strict=True))
    hits = sum(said == true == positive for said, true in pairs)
    said = sum(said == positive for said, _ in pairs)
    true = sum(true == positive for _, true in pairs)
    return 2 * hits / (said + true) if said + true else 0.0


def matthews(predicted: Sequence[str], right: Sequence[str]) -> float:
    """Return the correlation of two columns of classes; 0 where one of them is constant.

    Source: Matthews 1975 for two classes, Gorodkin 2004 for more.
    """
    names = sorted({*predicted, *right})
    number = {name: place for place, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    for said, true in zip(predicted, right, strict=True):
        table[number[true], number[said]] += 1
    rows, columns, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    above = np.trace(table) * total - rows @ columns
    below = np.sqrt((total**2 - columns @ columns) * (total**2 - rows @ rows))
    return float(above / below) if below else 0.0


def _pearson(one: np.ndarray, other: np.ndarray) -> float | None:
    one, other = one - one.mean(), other - other.mean()
    below = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / below) if below else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value `[n]`; equal ones share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: np.ndarray = (last - (counts - 1) / 2)[place]
    return ranks

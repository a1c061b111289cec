"""Writes statistics.json: the expected values of tests/record/statistics_test.cpp, by scipy and numpy.

    python3 tests/golden/make_statistics.py > tests/golden/statistics.json
"""

import json
import math

import numpy as np
from scipy import stats


def interval(values):
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return [np.mean(values) - half, np.mean(values) + half]


def power(difference, deviation, seeds, level):
    critical = stats.t.ppf(1 - level / 2, seeds - 1)
    t = stats.nct(seeds - 1, difference / deviation * math.sqrt(seeds))
    return t.sf(critical) + t.cdf(-critical)


def needed(difference, deviation, level):
    return next(n for n in range(2, 1001) if power(difference, deviation, n, level) >= 0.8)


def holm(p):
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate((len(p) - np.arange(len(p))) * np.array(p)[order]))
    return adjusted.tolist()


# Right samples of 100, the first ones, by seed at multiples 1 and 4.
SOFTMAX = [[100, 60], [98, 40], [99, 55], [97, 20]]
VARIANTS = {"asentmax": [[100, 95], [99, 93], [100, 97], [98, 90]],
            "ssmax": [[100, 64], [97, 35], [99, 61], [98, 31]],
            "entmax": [[50, 1], [97, 10], [90, 0], [95, 15]]}


def samples(right):
    return np.arange(100) < right


def comparisons():
    """Each variant against softmax: paired over seeds on the mean over multiples, the standard error at
    least that of the paired test samples; Holm over the three."""
    found = []
    for name, seeds in VARIANTS.items():
        pairs = [[samples(a).astype(float) - samples(b) for a, b in zip(*pair)] for pair in zip(seeds, SOFTMAX)]
        means = [np.mean([d.mean() for d in pair]) for pair in pairs]
        variances = [sum(d.var(ddof=1) / len(d) for d in pair) / len(pair) ** 2 for pair in pairs]
        error = max(stats.sem(means), math.sqrt(sum(variances)) / len(means))
        half = stats.t.ppf(0.975, len(means) - 1) * error
        found.append({"attention": name, "right": seeds, "difference": np.mean(means), "standard_error": error,
                      "ci95": [np.mean(means) - half, np.mean(means) + half],
                      "p": 2 * stats.t.sf(abs(np.mean(means)) / error, len(means) - 1)})
    for item, adjusted in zip(found, holm([item["p"] for item in found])):
        item["adjusted_p"] = adjusted
        deviation = item["standard_error"] * math.sqrt(len(SOFTMAX))
        if adjusted >= 0.05:
            item["power"] = power(abs(item["difference"]), deviation, len(SOFTMAX), 0.05 / 3)
            item["seeds_needed"] = needed(abs(item["difference"]), deviation, 0.05 / 3)
    return {"softmax": SOFTMAX, "variants": found}


SAMPLES = [[0.1, 0.3], [0.17, 0.87, 0.30], [0.94, 0.91, 0.99, 0.97], [0.5, 0.52, 0.48, 0.55, 0.51, 0.61, 0.47, 0.5]]
PAIRED = [([0.9, 0.8, 0.95], [0.5, 0.7, 0.6]), ([0.2, 0.1], [0.5, 0.6]),
          ([0.17, 0.87, 0.30, 0.73, 0.5], [0.2, 0.6, 0.35, 0.5, 0.55])]
POWER = [(0.3, 0.1 * math.sqrt(2), n, level) for n in (3, 5, 10) for level in (0.05, 0.05 / 3)] + [
    (0.02, 0.5, 50, 0.05), (0.9, 0.2, 3, 0.05)]

print(json.dumps({
    "intervals": [{"values": v, "ci95": interval(v)} for v in SAMPLES],
    "paired": [{"a": a, "b": b, "p": stats.ttest_rel(a, b).pvalue, "ci95": interval(np.subtract(a, b))}
               for a, b in PAIRED],
    "holm": [{"p": p, "adjusted": holm(p)} for p in ([0.01, 0.04, 0.03], [0.02], [0.6, 0.5, 0.001, 0.9], [0.02, 0.02])],
    "power": [{"difference": d, "deviation": s, "seeds": n, "level": a, "power": power(d, s, n, a)}
              for d, s, n, a in POWER],
    "comparison": comparisons(),
    "needed": [{"difference": d, "deviation": s, "level": a, "seeds": needed(d, s, a)}
               for d, s, a in ((0.3, 0.14, 0.05), (0.1, 0.2, 0.05 / 3), (0.05, 0.3, 0.05), (1, 0.2, 0.05))],
}, indent=1))

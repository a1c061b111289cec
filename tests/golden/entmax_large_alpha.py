"""Weights and gradients of alpha-entmax for alpha above 2, in 400 decimal digits, which writes
entmax_large_alpha.json beside it:

    python3 tests/golden/entmax_large_alpha.py

A key at the edge of the support may have a weight near a half though it lies above the threshold by
10^-60 of it only, so the usual formats cannot serve as oracle there."""

import decimal
import json
import pathlib
import random

decimal.getcontext().prec = 400
decimal.getcontext().Emin = -10**9
D = decimal.Decimal


def root(value, degree):
    """value^(1/degree) by Newton's method, from a start that is right to about 12 digits."""
    start = D(10) ** (value.log10().quantize(D("1e-12")) / degree)
    for _ in range(14):
        start = ((degree - 1) * start + value / start ** (degree - 1)) / degree
    return start


def entmax(alpha, z):
    """Weights for a whole alpha: [(alpha-1) z - tau]_+^(1/(alpha-1))."""
    slope = alpha - 1
    scaled = [D(score) * slope for score in z]
    largest = max(scaled)
    # The lowest key of the support: the keys above it weigh less than 1 when its own weight is 0.
    order = sorted(set(scaled), reverse=True)
    edge = largest
    for candidate in order:
        above = sum(root(score - candidate, slope) for score in scaled if score > candidate)
        if above < 1:
            edge = candidate
    # The weight p of that key, by bisection: the sum of (p^slope + gap)^(1/slope) is 1.
    low, high = D(0), D(1)
    for _ in range(80):
        p = (low + high) / 2
        excess = p ** slope
        total = sum(root(excess + score - edge, slope) for score in scaled if score >= edge)
        low, high = (p, high) if total < 1 else (low, p)
    excess = low ** slope
    return [root(excess + score - edge, slope) if score >= edge else D(0) for score in scaled]


def gradient(alpha, weights, upstream):
    u = [weight ** (2 - alpha) if weight > 0 else D(0) for weight in weights]
    mean = sum(a * D(b) for a, b in zip(u, upstream)) / sum(u)
    return [a * (D(b) - mean) for a, b in zip(u, upstream)]


def main():
    rng = random.Random(1)
    cases = []
    for alpha in (3, 5, 10, 64):
        for count in (2, 3, 8, 20):
            for spread in (1e-18, 0.01, 0.3):
                z = [float(f"{rng.gauss(0, spread):.9g}") for _ in range(count)]
                dp = [round(rng.gauss(0, 1), 12) for _ in range(count)]
                p = entmax(alpha, z)
                dz = gradient(alpha, p, dp)
                cases.append({"alpha": alpha, "z": z, "p": [float(w) for w in p], "dp": dp,
                              "dz": [float(slope) for slope in dz]})
    golden = {"source": "tests/golden/entmax_large_alpha.py, 400 decimal digits",
              "fields": "z scores, p = alpha-entmax(z), dp upstream gradient, dz = gradient with respect to z",
              "cases": cases}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(golden, indent=0) + "\n")


if __name__ == "__main__":
    main()

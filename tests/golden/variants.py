"""Weights, scales and attention of every normalizer, scaler and position encoding of the catalogs, worked out from the
formulas of the papers with numpy and scipy alone, which writes variants.json beside it:

    /usr/bin/python3 tests/golden/variants.py

Matrices are written row by row. A learned tensor stands under the name that attnspan has for it. Every formula is
written as its paper has it, without regard to how attnspan works it out, and for short rows only."""

import itertools
import json
import pathlib

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, log_expit, log_softmax, softmax

RANDOM = np.random.default_rng(20260101)


def draw(*shape, size=1.0):
    """Normal numbers of three decimals, so that the file holds them exactly."""
    return np.round(RANDOM.normal(0, size, shape), 3)


# Normalizers: a row of scores, in which -infinity hides a key, and the row's learned numbers.


def of_visible(function):
    """Weights of the keys that are not hidden; 0 for the others."""
    def weigh(z, learned):
        p = np.zeros_like(z)
        visible = np.isfinite(z)
        p[visible] = function(z[visible], learned)
        return p
    return weigh


def entmax(alpha):
    """Peters, Niculae and Martins 2019: [(alpha-1) z - tau]_+^(1/(alpha-1)), sum 1."""
    def weigh(z, _):
        s = (alpha - 1) * z

        def p(tau):
            return np.maximum(s - tau, 0) ** (1 / (alpha - 1))
        tau = brentq(lambda t: p(t).sum() - 1, s.max() - 1, s.max(), xtol=1e-16, rtol=1e-15)
        return p(tau) / p(tau).sum()
    return of_visible(weigh)


def top_k(k, half=False):
    def weigh(z, _):
        kept = min(len(z), max(k, -(-len(z) // 2)) if half else k)
        largest = sorted(range(len(z)), key=lambda j: (-z[j], j))[:kept]
        p = np.zeros_like(z)
        p[largest] = softmax(z[largest])
        return p
    return weigh


def stick_breaking(remainder=True):
    """Tan et al. 2024: log p_j = logsig(z_j) + sum over j < m < i of logsig(-z_m), j < i; what is left goes to i."""
    def weigh(z, _):
        i = len(z) - 1
        p = np.array([np.exp(log_expit(z[j]) + log_expit(-z[j + 1:i]).sum()) for j in range(i)] + [0.0])
        if remainder:
            p[i] = 1 - p.sum()
        return p
    return weigh


def stieltjes(q, window=None):
    def weigh(z, _):
        floor = 0 if window is None else window ** -q

        def p(above):
            return np.maximum((above + z.max() - z) ** -float(q) - floor, 0)
        above = brentq(lambda a: p(a).sum() - 1, 1e-3, 10 * len(z) ** (1 / q), xtol=1e-16, rtol=1e-15)
        return p(above)
    return of_visible(weigh)


def sigmoid(z, _):
    """Ramapuram et al. 2024, bias -log n."""
    return expit(z - np.log(len(z)))


def softmax_one(z, _):
    return np.exp(z) / (1 + np.exp(z).sum())


def softmax_sink(z, learned):
    return np.exp(z) / (np.exp(learned[0]) + np.exp(z).sum())


@of_visible
def softpick(z, _):
    return np.maximum(np.exp(z) - 1, 0) / (np.abs(np.exp(z) - 1).sum() + 1e-6)


@of_visible
def adaptive_temperature(z, _):
    """Velickovic et al. 2024, as their code has it: numpy's polyval takes the highest power first."""
    entropy = -(softmax(z) * log_softmax(z)).sum()
    beta = max(1.0, np.polyval([-0.037, 0.481, -2.3, 4.917, -1.791], entropy)) if entropy > 0.5 else 1.0
    return softmax(beta * z)


def threshold(d, scale=1, power=2):
    """arXiv 2601.12145, one view: relu(c - b sqrt(2 ln(i+1) / d))^p."""
    return lambda z, _: np.maximum(z - scale * np.sqrt(2 * np.log(len(z)) / d), 0) ** power


def lssar(d, power=15):
    """arXiv 2501.13428: softplus of ln d ln n times the cosine, then powers of what exceeds the mean share."""
    def weigh(z, _):
        n = len(z)
        a = np.log1p(np.exp(np.log(d) * np.log(n) * z))
        r = np.maximum(n * a / a.sum() - (0 if n <= 3 else 1), 0) ** power
        return r / r.sum()
    return of_visible(weigh)


# name, function, learned numbers; heads are D_HEAD wide, and the longest training sample has TRAIN_TOKENS
D_HEAD, TRAIN_TOKENS = 4, 64
NORMALIZERS = [
    ("softmax", of_visible(lambda z, _: softmax(z)), []),
    ("selective", of_visible(lambda z, _: softmax(z)), []),  # what is left of one row; the rest is among the views
    ("entmax", entmax(1.5), []),
    ("entmax:2", entmax(2), []),
    ("entmax:1.2", entmax(1.2), []),
    ("entmax:learned", entmax(1 + expit(0.4)), [0.4]),
    ("entmax:learned", entmax(1 + expit(-1.5)), [-1.5]),
    ("top-k:3", top_k(3), []),
    ("top-k:2,rows=half", top_k(2, half=True), []),
    ("stick-breaking", stick_breaking(), []),
    ("stick-breaking:none", stick_breaking(remainder=False), []),
    ("stieltjes", stieltjes(2), []),
    ("stieltjes:q=2,window=4", stieltjes(2, window=4), []),
    ("stieltjes:3", stieltjes(3), []),
    ("sigmoid", sigmoid, []),
    ("sigmoid:train", lambda z, _: expit(z - np.log(TRAIN_TOKENS)), []),
    ("threshold", threshold(D_HEAD), []),
    ("threshold:scale=0.5,power=3", threshold(D_HEAD, 0.5, 3), []),
    ("tda", threshold(D_HEAD), [0.6]),  # its first view; the whole is among the views
    ("lssar", lssar(D_HEAD), []),
    ("lssar:5", lssar(D_HEAD, 5), []),
    ("softmax-one", softmax_one, []),
    ("softmax-sink", softmax_sink, [0.7]),
    ("softpick", softpick, []),
    ("adaptive-temperature", adaptive_temperature, []),
]


def normalizer_cases():
    rows = [draw(1), draw(2), draw(7, size=2), draw(30, size=0.3), draw(30, size=3)]
    rows[3][5] = rows[3][9]  # a tie
    hidden = draw(12)
    hidden[[0, 1, 6]] = -np.inf
    rows.append(hidden)
    for name, function, learned in NORMALIZERS:
        for z in rows:
            p = function(z, np.array(learned))
            yield {"name": name, "learned": learned, "scores": [None if np.isinf(s) else s for s in z], "weights": p}


# Scalers: the layer's input x (rows x d_model) and each row's place give a scale for each head.


def log_length(places):
    return np.log(places + 2)[:, None]


def adaptive(t, x, places):
    """arXiv 2506.16640: 1 + softplus(w_b x + c_b) (log n)^(2 tanh(w_g x + c_g))."""
    heads = t["scale_bias"].shape[1]
    inner = x @ t["weights"]
    beta = np.log1p(np.exp(inner[:, :heads] + t["scale_bias"]))
    return 1 + beta * log_length(places) ** (2 * np.tanh(inner[:, heads:] + t["exponent_bias"]))


def scaler_list(heads, d_model):
    def tensors(**shapes):
        return {name: draw(*shape) for name, shape in shapes.items()}

    def ones(places):
        return np.ones((len(places), heads))
    mean_log = np.log(np.arange(2, TRAIN_TOKENS + 2)).mean()
    full = tensors(weights=(d_model, 2 * heads), scale_bias=(1, heads), exponent_bias=(1, heads), delta=(1, heads))
    return [
        ("none", {}, lambda t, x, places: ones(places)),
        ("log", tensors(scale=(1, heads)), lambda t, x, places: t["scale"] * log_length(places)),
        ("log:bias=learned", tensors(scale=(1, heads), bias=(1, heads)),
         lambda t, x, places: t["scale"] * log_length(places) + t["bias"]),
        ("fixed-log:mean", {}, lambda t, x, places: ones(places) * log_length(places) / mean_log),
        ("fixed-log", {}, lambda t, x, places: ones(places) * log_length(places)),
        ("fixed-log:2.5", {}, lambda t, x, places: ones(places) * 2.5 * log_length(places)),
        ("power", tensors(scale=(1, heads), exponent=(1, heads)),
         lambda t, x, places: 1 + t["scale"] * log_length(places) ** t["exponent"]),
        ("adaptive", tensors(weights=(d_model, 2 * heads), scale_bias=(1, heads), exponent_bias=(1, heads)), adaptive),
        ("adaptive:delta=learned", full, lambda t, x, places: t["delta"] - 1 + adaptive(t, x, places)),
    ]


def scaler_cases():
    heads, d_model = 3, 5
    places = np.array([0, 1, 2, 14, 63, 400, 65535])
    x = draw(len(places), d_model)
    for name, tensors, function in scaler_list(heads, d_model):
        yield {"name": name, "heads": heads, "tensors": tensors, "places": places, "x": x,
               "scales": function(tensors, x, places)}


# Encodings: the output of softmax attention, every head for itself, over one short sequence.


class Attention:
    """q, k, v, x: tokens x heads d_head. An encoding turns each head's q and k, or changes its scores."""

    def __init__(self, positions, heads, d_head):
        self.positions, self.heads, self.d_head = np.array(positions), heads, d_head
        n = len(positions)
        self.q, self.k, self.v, self.x = (draw(n, heads * d_head) for _ in range(4))

    def head(self, matrix, h):
        return matrix[:, h * self.d_head:(h + 1) * self.d_head]

    def distance(self):
        return self.positions[:, None] - self.positions[None, :]

    def output(self, score):
        """score(q, k, h): tokens x tokens, of which the upper half is left out."""
        out = []
        for h in range(self.heads):
            z = np.array(score(self.head(self.q, h), self.head(self.k, h), h), dtype=float)
            z[np.triu_indices(len(z), 1)] = -np.inf
            out.append(softmax(z, axis=1) @ self.head(self.v, h))
        return np.concatenate(out, axis=1)


def plain(q, k):
    return q @ k.T / np.sqrt(q.shape[1])


def linear(a, slopes):
    """ALiBi with one slope a head; 0 is no encoding."""
    return a.output(lambda q, k, h: plain(q, k) - slopes[h] * a.distance())


def windowed(a, sizes):
    return a.output(lambda q, k, h: np.where(a.distance() < sizes[h], plain(q, k), -np.inf))


def turn(vectors, positions, base):
    """RoFormer's matrix, pairs (p, p + d/2)."""
    d = vectors.shape[1]
    turned = []
    for vector, position in zip(vectors, positions):
        rotation = np.zeros((d, d))
        for p in range(d // 2):
            angle = position * base ** (-2 * p / d)
            rotation[p, p] = rotation[p + d // 2, p + d // 2] = np.cos(angle)
            rotation[p + d // 2, p] = np.sin(angle)
            rotation[p, p + d // 2] = -np.sin(angle)
        turned.append(rotation @ vector)
    return np.array(turned)


def rope(a, base=10000, factor=1):
    at = a.positions / factor
    return a.output(lambda q, k, h: plain(turn(q, at, base), turn(k, at, base)))


def rope_in_window(a, size):
    return a.output(lambda q, k, h: np.where(
        a.distance() < size, plain(turn(q, a.positions, 10000), turn(k, a.positions, 10000)), -np.inf))


def fire(a, t, length):
    """Li et al. 2023, their appendix: psi(x) = log(|c x| + 1), f(psi(i-j) / (psi(max(i, |m L|)) + 1e-6))."""
    def psi(x):
        return np.log(abs(t["slope"][0, 0] * x) + 1)

    def score(q, k, h):
        z = plain(q, k)
        for i, query in enumerate(a.positions):
            for j, key in enumerate(a.positions[:i + 1]):
                share = psi(query - key) / (psi(max(query, abs(t["threshold"][0, 0] * length))) + 1e-6)
                hidden = np.maximum(t["up"][0] * share + t["up_bias"][0], 0)
                z[i, j] += t["down"][h] @ hidden + t["down_bias"][0, h]
        return z
    return a.output(score)


def t5_bucket(distance, buckets, largest):
    """_relative_position_bucket of the T5 code, one direction."""
    exact = buckets // 2
    if distance < exact:
        return distance
    far = exact + int(np.log(distance / exact) / np.log(largest / exact) * (buckets - exact))
    return min(far, buckets - 1)


def t5(a, bias, buckets, largest):
    n = len(a.positions)

    def score(q, k, h):
        z = plain(q, k)
        for i in range(n):
            for j in range(i + 1):
                z[i, j] += bias[h, t5_bucket(a.positions[i] - a.positions[j], buckets, largest)]
        return z
    return a.output(score)


def fox(a, t):
    """Lin et al. 2025: z_ij + sum over j < m <= i of log sigmoid(w_h x_m + b_h)."""
    gates = log_expit(a.x @ t["weights"] + t["bias"])

    def score(q, k, h):
        z = plain(q, k)
        for i in range(len(z)):
            for j in range(i + 1):
                z[i, j] += gates[j + 1:i + 1, h].sum()
        return z
    return a.output(score)


def cope(a, embedding):
    """Golovneva et al. 2024: pos_ij = sum over j <= m <= i of sigmoid(z_im); z_ij + q_i e[pos_ij], e interpolated."""
    def score(q, k, h):
        z = plain(q, k)
        result = z.copy()
        for i in range(len(z)):
            for j in range(i + 1):
                position = min(expit(z[i, j:i + 1]).sum(), len(embedding) - 1)
                low, high = int(np.floor(position)), int(np.ceil(position))
                share = position - low
                result[i, j] += q[i] @ ((1 - share) * embedding[low] + share * embedding[high])
        return result
    return a.output(score)


def pope(a, ahead, base=10000):
    """Gopalakrishnan et al. 2025: sum_c softplus(q_c) softplus(k_c) cos((i-j) theta_c - delta_c) / sqrt d."""
    def score(q, k, h):
        d = q.shape[1]
        theta = base ** (-np.arange(d) / d)
        sizes = np.log1p(np.exp(q))[:, None, :] * np.log1p(np.exp(k))[None, :, :]
        return (sizes * np.cos(a.distance()[:, :, None] * theta - ahead[h])).sum(axis=2) / np.sqrt(d)
    return a.output(score)


def sinusoidal(positions, d, base=10000):
    """Vaswani et al. 2017."""
    table = np.zeros((len(positions), d))
    for row, position in zip(table, positions):
        for i in range(0, d, 2):
            row[i] = np.sin(position / base ** (i / d))
            if i + 1 < d:
                row[i + 1] = np.cos(position / base ** (i / d))
    return table


def cosines(q, k):
    return (q / np.linalg.norm(q, axis=1, keepdims=True)) @ (k / np.linalg.norm(k, axis=1, keepdims=True)).T


def view_cases():
    """Attention of several queries and keys a head: arXiv 2601.12145, A_1 V - clamp(l, 0, 1) A_2 V."""
    heads, n = 2, 9
    for name, scale, shares in [("tda", 1, [0.3, 1.4]), ("tda:scale=0.4", 0.4, [-0.2, 0.8])]:
        # Large, since attnspan adds 1e-12 to the squares of a vector, so that none is without a direction.
        q, k = draw(n, 2 * heads * D_HEAD, size=30), draw(n, 2 * heads * D_HEAD, size=30)
        v = draw(n, heads * D_HEAD)
        output = np.zeros_like(v)
        for view, sign in enumerate([1, -1]):
            for h in range(heads):
                columns = slice((view * heads + h) * D_HEAD, (view * heads + h + 1) * D_HEAD)
                of_head = slice(h * D_HEAD, (h + 1) * D_HEAD)
                share = 1 if view == 0 else np.clip(shares[h], 0, 1)
                c = cosines(q[:, columns], k[:, columns])
                for i in range(n):
                    w = threshold(D_HEAD, scale)(c[i, :i + 1], None)
                    output[i, of_head] += sign * share * w @ v[:i + 1, of_head]
        yield {"name": name, "heads": heads, "learned": shares, "q": q, "k": k, "v": v, "output": output}


def selective_cases():
    """Leviathan, Kalman and Matias 2024: S = relu(scores of head 0), nothing from the diagonal and the first column;
    F_ij = sum over m < i of S_mj; every head has softmax(scores - F)."""
    heads, n = 3, 9
    q, k, v = (draw(n, heads * D_HEAD, size=2) for _ in range(3))
    z = [plain(q[:, h * D_HEAD:(h + 1) * D_HEAD], k[:, h * D_HEAD:(h + 1) * D_HEAD]) for h in range(heads)]
    s = np.tril(np.maximum(z[0], 0), -1)
    s[:, 0] = 0
    f = np.cumsum(s, axis=0) - s
    future = np.triu(np.full((n, n), -np.inf), 1)
    output = [softmax(z[h] - f + future, axis=1) @ v[:, h * D_HEAD:(h + 1) * D_HEAD] for h in range(heads)]
    yield {"name": "selective", "heads": heads, "learned": [], "q": q, "k": k, "v": v,
           "output": np.concatenate(output, axis=1)}


def position_cases():
    heads, d_head = 4, 4
    positions = [0, 1, 2, 3, 5, 6, 9, 10, 11, 17, 30, 31, 64, 90]

    def attention():
        return Attention(positions, heads, d_head)
    alibi = [2 ** (-8 * h / heads) for h in range(1, heads + 1)]
    biased = {"bias": draw(heads, 8)}
    gates = {"weights": draw(heads * d_head, heads), "bias": draw(1, heads)}
    counted = {"embedding": draw(5, d_head)}
    ahead = {"ahead": draw(heads, d_head)}
    learned = {"embedding": draw(91, heads * d_head)}
    many = {"bias": draw(heads, 32)}
    network = {name: draw(*shape) for name, shape in [
        ("slope", (1, 1)), ("threshold", (1, 1)), ("up", (1, 6)), ("up_bias", (1, 6)), ("down", (heads, 6)),
        ("down_bias", (1, heads))]}
    for name, tensors, function in [
            ("nope", {}, lambda a: linear(a, [0] * heads)),
            ("alibi", {}, lambda a: linear(a, alibi)),
            ("alibi:harmonic", {}, lambda a: linear(a, [1, 1 / 2, 1 / 3, 1 / 4])),
            ("alibi:slopes=0.5:0.25:2:0", {}, lambda a: linear(a, [0.5, 0.25, 2, 0])),
            ("nape", {}, lambda a: linear(a, [1, 1 / 2, 0, 0])),
            ("nape:near=3,slopes=geometric", {}, lambda a: linear(a, [1, 1 / 2, 1 / 4, 0])),
            ("rope", {}, rope),
            ("rope:base=100", {}, lambda a: rope(a, 100)),
            ("rope:scaling=linear,factor=4", {}, lambda a: rope(a, factor=4)),
            ("rope:scaling=ntk,factor=4,at=evaluation", {}, lambda a: rope(a, 10000 * 4 ** (d_head / (d_head - 2)))),
            ("rope:window=5", {}, lambda a: rope_in_window(a, 5)),
            ("fire:width=6", network, lambda a: fire(a, network, TRAIN_TOKENS / 4)),
            ("fire:threshold=20,width=6", network, lambda a: fire(a, network, 20)),
            ("t5", many, lambda a: t5(a, many["bias"], 32, TRAIN_TOKENS)),
            ("window:4", {}, lambda a: windowed(a, [4] * heads)),
            ("hard-alibi:3", {}, lambda a: windowed(a, [1, 2, 3, np.inf])),
            ("t5:distance=40,buckets=8", biased, lambda a: t5(a, biased["bias"], 8, 40)),
            ("fox", gates, lambda a: fox(a, gates)),
            ("cope:5", counted, lambda a: cope(a, counted["embedding"])),
            ("pope", ahead, lambda a: pope(a, ahead["ahead"])),
            ("pope:base=50", ahead, lambda a: pope(a, ahead["ahead"], 50))]:
        a = attention()
        yield {"name": name, "heads": heads, "positions": a.positions, "tensors": tensors, "q": a.q, "k": a.k, "v": a.v,
               "x": a.x, "output": function(a)}
    for name, tensors, added in [
            ("learned:91", learned, learned["embedding"][positions]),
            ("sinusoidal", {}, 0.02 * np.sqrt(2) * sinusoidal(positions, heads * d_head)),
            ("sinusoidal:size=1,base=50", {}, np.sqrt(2) * sinusoidal(positions, heads * d_head, 50))]:
        yield {"name": name, "heads": heads, "positions": np.array(positions), "tensors": tensors, "added": added}


def as_json(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return value


def main():
    lines = ['{"source": "tests/golden/variants.py, float64 by numpy and scipy"']
    for kind, cases in [("normalizers", normalizer_cases()), ("scalers", scaler_cases()),
                        ("positions", position_cases()),
                        ("views", itertools.chain(view_cases(), selective_cases()))]:
        lines.append(f',"{kind}": [\n' + ",\n".join(json.dumps(as_json(case)) for case in cases) + "]")
    pathlib.Path(__file__).with_suffix(".json").write_text("\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()

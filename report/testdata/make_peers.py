"""Makes peers.json: small columns and what scikit-learn and SciPy say of them.

    python make_peers.py > peers.json        (numpy, scipy, scikit-learn)
"""
import json

import numpy as np
from scipy import stats
from sklearn import metrics

r = np.random.default_rng(7)
n = 240
a = np.round(r.lognormal(2, 1.5, n), 2).astype(np.float32)
b = np.round(np.sqrt(a) * 10 + r.normal(0, 8, n)).astype(np.float32)
c = r.integers(0, 5, n).astype(np.float32)
k = (a > 9).astype(int) + (b > 60).astype(int)
flip = r.random(n) < 0.1
k[flip] = r.integers(0, 3, flip.sum())
d = np.round(r.lognormal(2.4, 1.2, 150), 2).astype(np.float32)


def index(x, y):
    """Population stability index over the values of x themselves."""
    s = 0.0
    for v in np.union1d(x, y):
        p, q = max(np.mean(x == v), 1e-4), max(np.mean(y == v), 1e-4)
        s += (q - p) * np.log(q / p)
    return s


c2 = np.minimum(r.integers(0, 7, 150), 4).astype(np.float32)
answer = {
    "a": a.tolist(), "b": b.tolist(), "c": c.tolist(), "class": k.tolist(), "d": d.tolist(), "c2": c2.tolist(),
    "pearson_ab": stats.pearsonr(a.astype(float), b.astype(float))[0],
    "spearman_ab": stats.spearmanr(a, b)[0],
    "spearman_ac": stats.spearmanr(a, c)[0],
    "information_c": metrics.mutual_info_score(k, c),
    "entropy": float(stats.entropy(np.bincount(k))),
    "auc_a": metrics.roc_auc_score(k > 0, a),
    "auc_c": metrics.roc_auc_score(k > 0, c),
    "ks_ad": stats.ks_2samp(a, d).statistic,
    "psi_c": index(c, c2),
}


def text(v):
    return json.dumps([x if isinstance(x, int) else float("%.7g" % x) for x in v] if isinstance(v, list) else v)


print("{\n" + ",\n".join(f" {json.dumps(k)}: {text(v)}" for k, v in answer.items()) + "\n}")

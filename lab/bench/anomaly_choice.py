"""Chooses the kind of the anomaly companion: an isolation forest against autoencoders, by attack types that none has
seen. KDD Cup 1999, 10%: all learn from seven tenths of the distinct normal rows (as mlids train --anomaly does), and
flag at most 1% of the normal weight of the rest. All see signed logarithms of the numbers and categories one-hot;
autoencoders have them standardised and cut at 5 deviations, and their score is the squared error, or the absolute one of
the linear autoencoder (principal components). Prints recall of each type, its mean and the time.

    python3 lab/bench/anomaly_choice.py ../shared/data/kdd99/kddcup.data_10_percent.gz
"""
import sys
import time

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

FPR, SEED = 0.01, 1


def load(path):
    table = pd.read_csv(path, header=None)
    rows = table.groupby(list(table.columns), sort=False).size().reset_index(name="weight")
    kind, weight = rows.pop(41).str.rstrip(".").to_numpy(), rows.pop("weight").to_numpy(float)
    x = pd.get_dummies(rows, columns=[1, 2, 3]).to_numpy(np.float32)
    return np.sign(x) * np.log1p(np.abs(x)), kind, weight


def isolation_forest(trees, sample):
    def fit(x):
        model = IsolationForest(n_estimators=trees, max_samples=sample, random_state=SEED, n_jobs=2).fit(x)
        return lambda rows: -model.score_samples(rows)
    return fit


def autoencoder(*hidden):
    def fit(x):
        scale = StandardScaler().fit(x)
        seen = np.clip(scale.transform(x), -5, 5)
        model = MLPRegressor(hidden_layer_sizes=hidden, max_iter=30, batch_size=256, early_stopping=True, n_iter_no_change=3,
                             random_state=SEED).fit(seen, seen)

        def score(rows):
            wanted = np.clip(scale.transform(rows), -5, 5)
            return ((model.predict(wanted) - wanted) ** 2).sum(axis=1)
        return score
    return fit


def linear(components):
    def fit(x):
        scale = StandardScaler().fit(x)
        seen = np.clip(scale.transform(x), -5, 5)
        first = np.linalg.eigh(seen.T @ seen)[1][:, -components:]

        def score(rows):
            z = np.clip(scale.transform(rows), -5, 5)
            return np.abs(z - z @ first @ first.T).sum(axis=1)
        return score
    return fit


def threshold(score, weight):
    """The lowest score that at most FPR of the weight reaches."""
    order = np.argsort(-score)
    within = np.cumsum(weight[order]) <= FPR * weight.sum()
    return np.nextafter(score[order][within.sum()], np.inf)


def main():
    x, kind, weight = load(sys.argv[1])
    normal = np.flatnonzero(kind == "normal")
    np.random.default_rng(SEED).shuffle(normal)
    cut = len(normal) * 7 // 10
    learn, rest = normal[:cut], normal[cut:]
    types = sorted(set(kind) - {"normal"})
    makers = {"forest 100x256": isolation_forest(100, 256), "forest 100x1024": isolation_forest(100, 1024),
              "autoencoder 32-8-32": autoencoder(32, 8, 32), "autoencoder 64-16-64": autoencoder(64, 16, 64),
              "linear autoencoder 15": linear(15)}
    recall = {}
    for name, fit in makers.items():
        start = time.perf_counter()
        score = fit(x[learn])
        took = time.perf_counter() - start
        usual = score(x[rest])
        at = threshold(usual, weight[rest])
        recall[name] = {}
        areas = []
        for t in types:
            rows = np.flatnonzero(kind == t)
            found = score(x[rows])
            recall[name][t] = weight[rows][found >= at].sum() / weight[rows].sum()
            both = np.concatenate([usual, found])
            areas.append(roc_auc_score(np.r_[np.zeros(len(rest)), np.ones(len(rows))], both, sample_weight=np.r_[weight[rest], weight[rows]]))
        print(f"{name}: mean recall {np.mean(list(recall[name].values())):.3f}, mean ROC AUC {np.mean(areas):.3f}, {took:.1f} s", flush=True)
    print(pd.DataFrame(recall).round(3).to_string())


if __name__ == "__main__":
    main()

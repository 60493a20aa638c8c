"""Times mlids, LightGBM and XGBoost in one run on the same matrix: KDD Cup 1999, 10%, normal against attack, categories
one-hot, 100 trees of 31 leaves, two threads, from the float32 matrix to the model. Prints one JSON line for each, and
then how long mlids took beside the fastest. Peers get the rows as they are, merged (distinct rows with weights; merging
is part of the time then), and merged beforehand (merging not timed).

    python3 lab/bench/learn_peers.py ../shared/data/kdd99/kddcup.data_10_percent.gz
"""
import json
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
import pandas as pd

THREADS, TREES, LEAVES, REPEATS = 2, 100, 31, 3


def load(path):
    table = pd.read_csv(path, header=None)
    label = (table.pop(41) != "normal.").to_numpy(np.float32)
    table = pd.get_dummies(table, columns=[1, 2, 3])
    return np.ascontiguousarray(table.to_numpy(np.float32)), label


def merge(x, y):
    keyed = np.ascontiguousarray(np.hstack([x, y[:, None]]))
    rows = keyed.view(np.dtype((np.void, keyed.dtype.itemsize * keyed.shape[1]))).ravel()
    _, first, count = np.unique(rows, return_index=True, return_counts=True)
    return x[first], y[first], count.astype(np.float32)


def lightgbm(x, y, w):
    import lightgbm as lgb
    params = dict(objective="binary", num_leaves=LEAVES, num_threads=THREADS, learning_rate=0.1, verbosity=-1,
                  max_bin=255, min_sum_hessian_in_leaf=1, min_data_in_leaf=1, lambda_l2=1)
    return lgb.train(params, lgb.Dataset(x, y, weight=w), TREES).predict


def xgboost(x, y, w):
    import xgboost as xgb
    params = dict(objective="binary:logistic", tree_method="hist", grow_policy="lossguide", max_leaves=LEAVES,
                  max_depth=0, nthread=THREADS, eta=0.1, max_bin=255)
    booster = xgb.train(params, xgb.QuantileDMatrix(x, y, weight=w, nthread=THREADS, max_bin=255), TREES)
    return lambda rows: booster.inplace_predict(rows)


def mlids():
    """Runs the Go benchmarks of the same task, by the rows that they take."""
    root = pathlib.Path(__file__).resolve().parents[2]
    command = ["go", "test", "./learn/tree", "-run", "^$", "-bench", "Boost", "-benchtime", f"{REPEATS}x", "-cpu", str(THREADS)]
    out = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    found = {}
    for name, rows in (("BoostKDD", "as they are"), ("BoostMerged", "merged beforehand")):
        line = next(line for line in out.splitlines() if line.startswith("Benchmark" + name))
        figures = {unit: float(value) for value, unit in re.findall(r"([\d.e+-]+) ([\w/-]+)", line)}
        found[rows] = dict(peer="mlids", rows=rows, seconds=figures["s/model"], peak_heap_mib=figures["MiB-peak-heap"])
        if "ppm-AUC-below-1" in figures:
            found[rows]["auc"] = 1 - figures["ppm-AUC-below-1"] / 1e6
    return found


def timed(train, prepare):
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        train(*prepare())
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main():
    from sklearn.metrics import roc_auc_score
    ours = mlids()
    for figures in ours.values():
        print(json.dumps(figures), flush=True)
    x, y = load(sys.argv[1])
    merged = merge(x, y)
    held = np.arange(len(y)) % 5 == 4  # every fifth row is held out for the AUC; the times are of all rows
    best = {}
    for name, train in (("lightgbm", lightgbm), ("xgboost", xgboost)):
        auc = roc_auc_score(y[held], train(x[~held], y[~held], None)(x[held]))
        for rows, prepare in (("as they are", lambda: (x, y, None)), ("merged", lambda: merge(x, y)), ("merged beforehand", lambda: merged)):
            seconds = timed(train, prepare)
            print(json.dumps(dict(peer=name, rows=rows, seconds=seconds, auc=auc)), flush=True)
            best[rows] = min(best.get(rows, seconds), seconds)
    for rows, seconds in best.items():
        mine = ours.get(rows, ours["as they are"])["seconds"]  # mlids merges by itself
        print(f"mlids takes {mine / seconds:.2f} times as long as the fastest peer on rows {rows}")


if __name__ == "__main__":
    main()

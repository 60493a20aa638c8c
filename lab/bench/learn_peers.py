"""Times LightGBM and XGBoost on the matrix that BenchmarkBoostKDD trains on: KDD Cup 1999, 10%, normal against attack,
categories one-hot, 100 trees of 31 leaves, two threads, from the float32 matrix to the model. Prints one JSON line per
peer. The rows are used as they are and merged (distinct rows with weights); merging is part of the time then.

    python3 lab/bench/learn_peers.py ../shared/data/kdd99/kddcup.data_10_percent.gz
"""
import json
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


def main():
    from sklearn.metrics import roc_auc_score
    x, y = load(sys.argv[1])
    held = np.arange(len(y)) % 5 == 4  # every fifth row is held out for the AUC; the times are of all rows
    for name, train in (("lightgbm", lightgbm), ("xgboost", xgboost)):
        for merged in (False, True):
            seconds = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                train(*(merge(x, y) if merged else (x, y, None)))
                seconds.append(time.perf_counter() - start)
            part = merge(x[~held], y[~held]) if merged else (x[~held], y[~held], None)
            auc = roc_auc_score(y[held], train(*part)(x[held]))
            print(json.dumps(dict(peer=name, merged=merged, rows=len(y), inputs=x.shape[1],
                                  seconds=min(seconds), auc=auc)), flush=True)


if __name__ == "__main__":
    main()

"""Compares inference with LightGBM's C library and ONNX Runtime: the same model (100 trees of 31 leaves over 78 columns), the
same rows, one thread, one run. Prints a table of rows/s in batches of 1,000 and µs for one row.

    .build/peers/bin/python lab/bench/infer_peers.py

LightGBM and ONNX Runtime are called from Python. What a call costs that does nothing (a LightGBM getter, an ONNX graph
of one Identity) is given too: it is part of their figures for one row.
"""
import ctypes
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"  # read when LightGBM is loaded

import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime as ort
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

COLUMNS, BATCH, REPEATS = 78, 1000, 7
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def best(f, calls):
    """Seconds per call, the best of a few rounds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(calls):
            f()
        times.append((time.perf_counter() - start) / calls)
    return min(times)


def train():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, COLUMNS)).astype(np.float32)
    y = (x[:, :20].sum(1) + x[:, 20] * x[:, 21] * 3 + rng.normal(size=len(x)) > 0).astype(int)
    params = {"objective": "binary", "num_leaves": 31, "num_threads": 1, "verbosity": -1}
    return lgb.train(params, lgb.Dataset(x, y), 100), rng.normal(size=(BATCH, COLUMNS)).astype(np.float32)


def measure_lightgbm(booster, rows):
    lib, handle = lgb.basic._LIB, booster._handle
    out, length = np.empty(BATCH), ctypes.c_int64()
    pointer = rows.ctypes.data_as(ctypes.c_void_p)
    result = out.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
    argument = ctypes.c_char_p(b"num_threads=1")

    def batch():
        lib.LGBM_BoosterPredictForMat(handle, pointer, 0, BATCH, COLUMNS, 1, 0, 0, -1, argument, ctypes.byref(length), result)

    fast = ctypes.c_void_p()
    lib.LGBM_BoosterPredictForMatSingleRowFastInit(handle, 0, 0, -1, 0, COLUMNS, argument, ctypes.byref(fast))
    reference = ctypes.byref(length)
    one = itertools.cycle([ctypes.c_void_p(rows[i:].ctypes.data) for i in range(BATCH)])  # other rows, other branches

    def single():
        lib.LGBM_BoosterPredictForMatSingleRowFast(fast, next(one), reference, result)

    classes = ctypes.c_int()
    nothing = ctypes.byref(classes)
    overhead = best(lambda: lib.LGBM_BoosterGetNumClasses(handle, nothing), 20_000)
    return best(batch, 20), best(single, 5_000), overhead


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def measure_onnxruntime(booster, rows):
    model = convert_lightgbm(booster, initial_types=[("input", FloatTensorType([None, COLUMNS]))], zipmap=False, target_opset=15)
    run = session(model).run
    h = onnx.helper
    value = [h.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [None, COLUMNS]) for n in ("input", "output")]
    graph = h.make_graph([h.make_node("Identity", ["input"], ["output"])], "nothing", value[:1], value[1:])
    nothing = session(h.make_model(graph, opset_imports=[h.make_opsetid("", 15)], ir_version=8)).run
    feed, names = {"input": rows}, ["probabilities"]
    one = itertools.cycle([{"input": rows[i:i + 1]} for i in range(BATCH)])
    overhead = best(lambda: nothing(None, next(one)), 5_000)
    return best(lambda: run(names, feed), 20), best(lambda: run(names, next(one)), 5_000), overhead


def measure_mlids(directory):
    environment = dict(os.environ, MLIDS_BENCH_DIR=directory, GOMAXPROCS="1")
    text = subprocess.run(["go", "test", "-run", "^$", "-bench", "Peers", "-count", str(REPEATS), "./model"], cwd=ROOT,
                          env=environment, check=True, capture_output=True, text=True).stdout
    rates = [float(v) for v in re.findall(r"([\d.e+]+) rows/s", text)]
    singles = [float(v) for v in re.findall(r"([\d.e+]+) µs/row", text)]
    return BATCH / max(rates), min(singles) / 1e6, 0.0


def main():
    booster, rows = train()
    with tempfile.TemporaryDirectory() as directory:
        booster.save_model(os.path.join(directory, "model.txt"))
        rows.tofile(os.path.join(directory, "rows.f32"))
        booster.predict(rows).tofile(os.path.join(directory, "expected.f64"))
        results = {
            "mlids": measure_mlids(directory),
            f"LightGBM {lgb.__version__}": measure_lightgbm(booster, rows),
            f"ONNX Runtime {ort.__version__}": measure_onnxruntime(booster, rows),
        }
    print(f"| 100 × 31 leaves × {COLUMNS} | rows/s, batches of {BATCH} | µs, one row | of it an empty call, µs |\n|---|--:|--:|--:|")
    for name, (batch, single, overhead) in results.items():
        print(f"| {name} | {BATCH / batch:,.0f} | {single * 1e6:.2f} | {overhead * 1e6:.2f} |")


if __name__ == "__main__":
    sys.exit(main())

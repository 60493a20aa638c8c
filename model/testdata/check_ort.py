"""Runs models in ONNX Runtime: check_ort.py DIR prints, for each NAME.onnx with rows in NAME.f32,
{"NAME": {"labels": [...], "probabilities": [[...]]}, ...}.
"""
import glob
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort

answers = {}
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.onnx"))):
    onnx.checker.check_model(onnx.load(path))
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    rows = np.fromfile(path[:-4] + "f32", dtype="<f4").reshape(-1, session.get_inputs()[0].shape[1])
    labels, probabilities = session.run(["label", "probabilities"], {"features": rows})
    answers[os.path.basename(path)[:-5]] = {"labels": labels.tolist(), "probabilities": probabilities.tolist()}
json.dump(answers, sys.stdout)

"""Runs a model in ONNX Runtime: check_ort.py MODEL.onnx ROWS.f32 prints {"labels": [...], "probabilities": [[...]]}."""
import json
import sys

import numpy as np
import onnx
import onnxruntime as ort

model, rows = sys.argv[1:3]
onnx.checker.check_model(onnx.load(model))
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
width = session.get_inputs()[0].shape[1]
x = np.fromfile(rows, dtype="<f4").reshape(-1, width)
labels, probabilities = session.run(["label", "probabilities"], {"features": x})
json.dump({"labels": labels.tolist(), "probabilities": probabilities.tolist()}, sys.stdout)

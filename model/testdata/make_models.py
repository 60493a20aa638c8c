"""Makes small models with scikit-learn, LightGBM and XGBoost, and what they answer: make_models.py DIR [SEED].

Each model is one file NAME.onnx, NAME.txt (LightGBM) or NAME.json (XGBoost). DIR/expected.json has, per file, the names
of its inputs in the order of the rows, the rows, and the probabilities that the maker itself gives; "rule" says that
"values" are no probabilities but decision values of a model that has none, or that the model is one to refuse. A maker that fails, because a converter is
behind its library, is told on standard error and left out.
"""
import json
import os
import sys
import warnings

import numpy as np
import onnx

warnings.filterwarnings("ignore")


def plain(value):
    """Lists without the NumPy scalars and booleans that newer protobuf refuses."""
    if isinstance(value, (list, tuple)) and any(isinstance(v, (bool, np.generic)) for v in value):
        return [int(v) if isinstance(v, (bool, np.bool_, np.integer)) else v for v in value]
    return value


make_attribute = onnx.helper.make_attribute
onnx.helper.make_attribute = lambda key, value, *rest, **more: make_attribute(key, plain(value), *rest, **more)
out, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(seed)
expected = {}
ROWS = 8


def data(classes, n=400, inputs=6):
    x = rng.normal(size=(n, inputs)).astype(np.float32)
    score = x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=n)
    return x, np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))


def keep(file, values, rows, names=None, classes=None, rule=""):
    rows = [[None if np.isnan(v) else float(f"{v:.9g}") for v in r] for r in rows]
    values = [[float(f"{v:.8g}") for v in np.atleast_1d(r)] for r in values]
    expected[file] = {"inputs": names or [], "classes": classes or [], "rule": rule, "rows": rows, "values": values}


def some_rows(inputs=6, missing=False):
    x = rng.normal(size=(ROWS, inputs)).astype(np.float32)
    if missing:
        x[0, 0] = x[1, 1] = x[2, 2] = x[3, 3] = np.nan
    return x


def sklearn_models():
    from skl2onnx import to_onnx
    from sklearn.ensemble import (ExtraTreesClassifier, GradientBoostingClassifier, HistGradientBoostingClassifier,
                                  RandomForestClassifier)
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, Normalizer, RobustScaler, StandardScaler
    from sklearn.svm import SVC, LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    def svc(**kw):
        return SVC(**kw)

    makers = {
        "tree": (lambda: DecisionTreeClassifier(max_depth=4, random_state=0), (2, 3)),
        "forest": (lambda: RandomForestClassifier(4, max_depth=4, random_state=0), (2, 3)),
        "extra_trees": (lambda: ExtraTreesClassifier(3, max_depth=4, random_state=0), (3,)),
        "gradient_boosting": (lambda: GradientBoostingClassifier(n_estimators=4, random_state=0), (2, 3)),
        "hist_boosting": (lambda: HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=7, random_state=0), (2, 3)),
        "logistic": (lambda: LogisticRegression(), (2, 3)),
        "sgd": (lambda: SGDClassifier(loss="log_loss", random_state=0), (2, 3)),
        "linear_svm": (lambda: LinearSVC(random_state=0), (2, 3)),
        "svc_linear": (lambda: svc(kernel="linear", probability=True, random_state=0), (2, 3)),
        "svc_rbf": (lambda: svc(kernel="rbf", probability=True, random_state=0), (2, 3)),
        "svc_poly": (lambda: svc(kernel="poly", degree=2, coef0=1, random_state=0), (2, 3)),
        "mlp_relu": (lambda: MLPClassifier((6, 5), max_iter=60, random_state=0), (2, 3)),
        "mlp_tanh": (lambda: MLPClassifier((6,), activation="tanh", max_iter=60, random_state=0), (2, 3)),
        "mlp_logistic": (lambda: MLPClassifier((6,), activation="logistic", max_iter=60, random_state=0), (3,)),
        "scaled_logistic": (lambda: make_pipeline(StandardScaler(), LogisticRegression()), (2, 3)),
        "scaled_svc": (lambda: make_pipeline(RobustScaler(), svc(probability=True, random_state=0)), (2,)),
        "minmax_mlp": (lambda: make_pipeline(MinMaxScaler(), MLPClassifier((5,), max_iter=60, random_state=0)), (2,)),
        "normal_forest": (lambda: make_pipeline(Normalizer(), RandomForestClassifier(3, max_depth=3, random_state=0)), (2,)),
        "imputed_logistic": (lambda: make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), (2,)),
    }
    for name, (maker, counts) in makers.items():
        for k in counts:
            x, y = data(k, n=120 if name.startswith("svc") or "svc" in name else 400)
            missing = "imputed" in name or "hist" in name
            if missing:
                x[::7, 0] = np.nan
            try:
                m = maker().fit(x, y)
            except TypeError as e:
                print("left out", name, e, file=sys.stderr)
                continue
            rows = some_rows(missing=missing)
            answers(m, f"{name}_{k}", x, rows, to_onnx, k)


def answers(m, name, x, rows, to_onnx, k):
    options = {}
    if not name.startswith("linear_svm"):
        options = {"zipmap": k == 3}
    try:
        onx = to_onnx(m, x[:1], options=options and {id(m): options}, target_opset=17)
    except Exception as e:  # a converter behind its library
        print("left out", name, type(e).__name__, str(e)[:200], file=sys.stderr)
        return
    with open(os.path.join(out, name + ".onnx"), "wb") as f:
        f.write(onx.SerializeToString())
    if hasattr(m, "predict_proba"):
        keep(name + ".onnx", m.predict_proba(rows), rows)
    else:
        keep(name + ".onnx", m.decision_function(rows), rows, rule="decision")


def pipeline_models():
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    protocols, flags = np.array(["tcp", "udp", "icmp"]), np.array(["SF", "S0", "REJ"])
    n = 300
    table = np.empty((n, 4), dtype=object)
    table[:, 0] = rng.exponential(size=n).astype(np.float32)
    table[:, 1] = rng.exponential(size=n).astype(np.float32)
    table[:, 2], table[:, 3] = protocols[rng.integers(0, 3, n)], flags[rng.integers(0, 3, n)]
    y = np.where((table[:, 0] > 1) ^ (table[:, 2] == "udp"), "attack", "benign")
    y[:20] = "probe"
    types = [("duration", FloatTensorType([None, 1])), ("src_bytes", FloatTensorType([None, 1])),
             ("protocol_type", StringTensorType([None, 1])), ("flag", StringTensorType([None, 1]))]
    for name, last in {"onehot_logistic": LogisticRegression(), "onehot_forest": RandomForestClassifier(3, max_depth=4, random_state=0)}.items():
        m = Pipeline([("columns", ColumnTransformer([
            ("numbers", StandardScaler(), [0, 1]),
            ("words", OneHotEncoder(handle_unknown="ignore"), [2, 3])])), ("last", last)]).fit(table, y)
        try:
            onx = to_onnx(m, initial_types=types, target_opset=17)
        except Exception as e:
            print("left out", name, type(e).__name__, str(e)[:200], file=sys.stderr)
            continue
        with open(os.path.join(out, name + ".onnx"), "wb") as f:
            f.write(onx.SerializeToString())
        names = ["duration", "src_bytes"] + ["protocol_type=" + p for p in sorted(protocols)] + ["flag=" + p for p in sorted(flags)]
        head = table[100:100 + ROWS]
        rows = np.array([[r[0], r[1]] + [float(r[2] == p) for p in sorted(protocols)] + [float(r[3] == p) for p in sorted(flags)]
                         for r in head], dtype=np.float32)
        keep(name + ".onnx", m.predict_proba(head), rows, names, m.classes_.tolist())


def boosting_models():
    import lightgbm
    import xgboost
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [("input", FloatTensorType([None, 6]))]
    for k in (2, 3):
        x, y = data(k)
        x[::9, 1] = np.nan
        rows = some_rows(missing=True)
        m = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, verbose=-1).fit(x, y)
        m.booster_.save_model(os.path.join(out, f"lightgbm_{k}.txt"))
        keep(f"lightgbm_{k}.txt", m.predict_proba(rows), rows, [f"Column_{i}" for i in range(6)])
        foreign(f"lightgbm_{k}.onnx", lambda: convert_lightgbm(m, initial_types=types, target_opset=15, zipmap=k == 2), m, rows)
        m = xgboost.XGBClassifier(n_estimators=4, max_depth=3).fit(x, y)
        m.save_model(os.path.join(out, f"xgboost_{k}.json"))
        keep(f"xgboost_{k}.json", m.predict_proba(rows), rows)
        foreign(f"xgboost_{k}.onnx", lambda: convert_xgboost(m, initial_types=types, target_opset=15), m, rows)
    x, y = data(2)
    x[:, 3] = rng.integers(0, 6, len(x))
    y = y ^ (x[:, 3] == 2)
    rows = some_rows()
    rows[:, 3] = rng.integers(0, 8, ROWS)
    d = lightgbm.Dataset(x, y, categorical_feature=[3])
    b = lightgbm.train({"objective": "binary", "num_leaves": 7, "verbose": -1, "min_data_per_group": 1, "cat_smooth": 0}, d, 5)
    b.save_model(os.path.join(out, "lightgbm_categorical.txt"))
    p = b.predict(rows)
    keep("lightgbm_categorical.txt", np.stack([1 - p, p], 1), rows, rule="refused")
    m = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, verbose=-1, boosting_type="rf", bagging_freq=1,
                                bagging_fraction=0.5).fit(x, y)
    m.booster_.save_model(os.path.join(out, "lightgbm_forest.txt"))
    keep("lightgbm_forest.txt", m.predict_proba(rows), rows, [f"Column_{i}" for i in range(6)])


def foreign(name, convert, m, rows):
    try:
        onx = convert()
    except Exception as e:
        print("left out", name, type(e).__name__, str(e)[:200], file=sys.stderr)
        return
    with open(os.path.join(out, name), "wb") as f:
        f.write(onx.SerializeToString())
    keep(name, m.predict_proba(rows), rows)


sklearn_models()
pipeline_models()
boosting_models()
with open(os.path.join(out, "expected.json"), "w") as f:
    json.dump(expected, f)

"""ONNX Runtime from Python, inference only. It also writes the model for the peer in Node, beside the data."""
import os

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from peer import FOLDER, THREADS, data_of, run_peer


def write_model(workload, weights):
    sizes, nodes, initializers, value = workload["sizes"], [], [], "x"
    for i, (kernel, bias) in enumerate(zip(weights[0::2], weights[1::2])):
        initializers += [numpy_helper.from_array(kernel, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        last = i == len(sizes) - 2
        op = {"softmax": "Softmax", "sigmoid": "Sigmoid"}[workload["output"]] if last else "Relu"
        value = "y" if last else f"h{i}"
        nodes.append(helper.make_node(op, [f"z{i}"], [value]))
    graph = helper.make_graph(
        nodes, "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", sizes[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", sizes[-1]])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = os.path.join(FOLDER, f"{workload['name']}.onnx")
    onnx.save(model, path + f".{os.getpid()}")
    os.replace(path + f".{os.getpid()}", path)
    return path


def session_of(workload, weights):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(write_model(workload, weights), options, providers=["CPUExecutionProvider"])


def predict_way(workload):
    weights, batches = data_of(workload)
    session = session_of(workload, weights)
    feed = {"x": np.ascontiguousarray(batches[0][0][:1])}
    return (lambda: session.run(None, feed)), lambda: None


def make(kind, workload):
    if kind == "predict":
        yield "", lambda: predict_way(workload)


def check(workload, steps):
    """It does not train: only the loss before the first step."""
    weights, batches = data_of(workload)
    x, y = batches[0]
    p = session_of(workload, weights).run(None, {"x": x})[0].astype(np.float64)
    if workload["loss"] == "categorical_crossentropy":
        return [float(-np.log((p * y).sum(1)).mean())]
    return [float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())]


run_peer(f"ONNX Runtime {onnxruntime.__version__} (Python)", make, check)

"""ONNX Runtime from Python, inference only, on models that PyTorch's exporter writes: beside the data, also for the peer in Node."""
import os
import warnings

import numpy as np
import onnxruntime
import torch

from peer import FOLDER, THREADS, checked, data_of, run_peer
from torch_network import array_of, is_mirrored, network_module, tensor_of

torch.set_num_threads(1)


def exported(workload, model, batch):
    """Writes the model for this batch; images are (n, c, h, w), as PyTorch has them. Returns its path and the input."""
    data = data_of(workload, model)
    net, mirrored = network_module(data, False, False, False)
    x = tensor_of(data.x[:batch], mirrored, False).contiguous()
    path = os.path.join(FOLDER, f"{model}-{batch}.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), (x,), f"{path}.{os.getpid()}", input_names=["x"], output_names=["y"], dynamo=False)
    os.replace(f"{path}.{os.getpid()}", path)
    x.numpy().tofile(f"{path}.x.f32.{os.getpid()}")
    os.replace(f"{path}.x.f32.{os.getpid()}", f"{path}.x.f32")
    return path, x.numpy()


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_way(workload, batch):
    path, x = exported(workload, workload["model"], batch)
    session, feed = session_of(path), {"x": x}
    return (lambda: session.run(None, feed)), lambda: None


def bound_way(workload, batch):
    """Input and output bound once: nothing is allocated in a call."""
    path, x = exported(workload, workload["model"], batch)
    session = session_of(path)
    binding = session.io_binding()
    shape = session.get_outputs()[0].shape
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
    binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32))
    return (lambda: session.run_with_iobinding(binding)), lambda: None


def make(kind, workload, batch):
    yield "run", lambda: run_way(workload, batch)
    yield "bound", lambda: bound_way(workload, batch)


def check(workload, steps, samples):
    path, x = exported(workload, workload["plainModel"], samples)
    y = session_of(path).run(None, {"x": x})[0]
    return checked(None, array_of(torch.from_numpy(y), is_mirrored(data_of(workload, workload["plainModel"]).network)))


run_peer(f"ONNX Runtime {onnxruntime.__version__} (Python)", make, check)

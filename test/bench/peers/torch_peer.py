"""PyTorch. KCC_BENCH_MODE is eager or compile, KCC_BENCH_DEVICE cpu or cuda. Several ways are tried, the quickest is measured: optimizers that are fused,
that take lists of tensors or one after another; sequences as such or as images in channels_last; for predictions also a
traced and frozen module. The device `played` is the CPU, which goes the way of a GPU as far as it can."""
import itertools
import math
import os

import torch
import torch.nn.functional as F

from peer import THREADS, checked, data_of, run_peer
from torch_network import array_of, network_module, tensor_of

torch.set_num_threads(THREADS)
COMPILE = os.environ.get("KCC_BENCH_MODE") == "compile"
DEVICE = os.environ.get("KCC_BENCH_DEVICE", "cpu")
ON_GPU = DEVICE != "cpu"
if DEVICE == "played":
    DEVICE, torch.cuda.synchronize, torch.Tensor.pin_memory = "cpu", lambda: None, lambda self: self
# Float32 as everybody else's: matrix units would round the factors.
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = ON_GPU
# On a GPU with everything that compilation has: kernels chosen by measurement, launches recorded as CUDA graphs.
COMPILED = {"mode": "max-autotune"} if ON_GPU else {}

LOSSES = {"categorical_crossentropy": F.cross_entropy, "binary_crossentropy": F.binary_cross_entropy_with_logits, "mse": F.mse_loss}


def finish():
    """Waits for what a GPU has been given."""
    if ON_GPU:
        torch.cuda.synchronize()


def on_device(data, *arguments):
    """The network and whether it is mirrored, where it is measured."""
    net, mirrored = network_module(data, *arguments)
    return net.to(DEVICE), mirrored


def is_logits(data):
    return data.loss != "mse"


def target_of(data, y, mirrored):
    return torch.from_numpy(y.argmax(1)) if data.loss == "categorical_crossentropy" else tensor_of(y, mirrored, False)


def optimizer_of(data, parameters, **options):
    name, config = data.optimizer
    rate = config["learning_rate"]
    match name:
        case "SGD":
            return torch.optim.SGD(parameters, lr=rate, momentum=config["momentum"], nesterov=config["nesterov"], **options)
        case "RMSprop":
            return torch.optim.RMSprop(parameters, lr=rate, alpha=config["rho"], eps=config["epsilon"], **options)
        case "Adam":
            return torch.optim.Adam(parameters, lr=rate, betas=(config["beta_1"], config["beta_2"]), eps=config["epsilon"], **options)
        case "Adadelta":
            return torch.optim.Adadelta(parameters, lr=rate, rho=config["rho"], eps=config["epsilon"], **options)
    raise NotImplementedError(name)


def train_way(workload, batch, as_image, options, compiled_update=False):
    data = data_of(workload, workload["model"])
    net, mirrored = on_device(data, True, is_logits(data), as_image)
    loss_of = LOSSES[data.loss]
    update = optimizer_of(data, net.parameters(), **options)
    source = itertools.cycle([(tensor_of(x, mirrored, as_image).to(DEVICE), target_of(data, y, mirrored).to(DEVICE)) for x, y in data.batches(batch)])

    def loss(x, y):
        return loss_of(net(x), y)

    if COMPILE:
        loss = torch.compile(loss, **COMPILED)
    take_update = torch.compile(update.step, **COMPILED) if compiled_update else update.step

    def step():
        x, y = next(source)
        if COMPILE and ON_GPU:
            torch.compiler.cudagraph_mark_step_begin()
        update.zero_grad(set_to_none=True)
        loss(x, y).backward()
        take_update()

    return step, finish


def predict_way(workload, batch, as_image, frozen=False):
    data = data_of(workload, workload["model"])
    net, mirrored = on_device(data, False, False, as_image)
    call = net.eval()
    x = tensor_of(data.x[:batch], mirrored, as_image)
    x = x.pin_memory() if ON_GPU else x
    with torch.no_grad():
        if COMPILE:
            import torch._inductor.config as inductor

            inductor.freezing = True
            call = torch.compile(call, **COMPILED)
        if frozen:
            call = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x.to(DEVICE))))

    def step():
        with torch.inference_mode() if not COMPILE else torch.no_grad():
            return call(x.to(DEVICE, non_blocking=True)).cpu() if ON_GPU else call(x)

    return step, finish


def make(kind, workload, batch):
    data = data_of(workload, workload["model"])
    forms = [("", False), ("as images, ", True)] if len(data.x.shape) == 3 else [("", False)]
    if kind == "predict":
        for form, as_image in forms:
            yield f"{form}inference mode" if not COMPILE else f"{form}frozen", lambda: predict_way(workload, batch, as_image)
            if not COMPILE:
                yield f"{form}traced and frozen", lambda: predict_way(workload, batch, as_image, True)
        return
    options = [("fused", {"fused": True})] if data.optimizer[0] in ("SGD", "Adam") else []
    options += [("foreach", {"foreach": True})] + ([] if COMPILE else [("for each tensor", {"foreach": False})])
    for form, as_image in forms:
        for name, chosen in options[: 1 if COMPILE else 2]:
            yield f"{form}{name}", lambda: train_way(workload, batch, as_image, chosen)
        if COMPILE and (workload["small"] or ON_GPU):
            yield f"{form}compiled optimizer", lambda: train_way(workload, batch, as_image, {"foreach": True}, True)


def give_epsilon(data, update, step):
    """For step 1 and on, what Keras' Adam has for epsilon: PyTorch's adds it after the root of the squares' mean is divided by how much of
    the mean there is yet. Without this their first steps differ where gradients are small: losses by 1e-3 after four."""
    name, config = data.optimizer
    for group in update.param_groups if name == "Adam" else []:
        group["eps"] = config["epsilon"] / math.sqrt(1 - config["beta_2"] ** step)


def check(workload, steps, samples):
    data = data_of(workload, workload["plainModel"])
    losses = None
    if workload["trainBatch"] is not None:
        net, mirrored = on_device(data, False, is_logits(data), False)
        update, losses = optimizer_of(data, net.parameters(), foreach=True), []
        for step, (x, y) in enumerate(itertools.islice(itertools.cycle(data.batches(workload["trainBatch"])), steps), 1):
            give_epsilon(data, update, step)
            update.zero_grad(set_to_none=True)
            loss = LOSSES[data.loss](net(tensor_of(x, mirrored, False).to(DEVICE)), target_of(data, y, mirrored).to(DEVICE))
            loss.backward()
            update.step()
            losses.append(loss.item())
    net, mirrored = on_device(data, False, False, False)
    with torch.inference_mode():
        outputs = net.eval()(tensor_of(data.x[:samples], mirrored, False).to(DEVICE)).cpu()
    return checked(losses, array_of(outputs, mirrored))


if __name__ == "__main__":
    run_peer(f"PyTorch {torch.__version__}", make, check, torch._dynamo.reset if COMPILE else lambda: None)

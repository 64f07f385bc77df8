"""PyTorch. KCC_BENCH_MODE is eager or compile. Several ways are tried, the quickest is measured: optimizers that are fused,
that take lists of tensors or one after another; sequences as such or as images in channels_last; for predictions also a
traced and frozen module."""
import itertools
import os

import torch
import torch.nn.functional as F

from peer import THREADS, checked, data_of, run_peer
from torch_network import array_of, network_module, tensor_of

torch.set_num_threads(THREADS)
COMPILE = os.environ.get("KCC_BENCH_MODE") == "compile"

LOSSES = {"categorical_crossentropy": F.cross_entropy, "binary_crossentropy": F.binary_cross_entropy_with_logits, "mse": F.mse_loss}


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
    net, mirrored = network_module(data, True, is_logits(data), as_image)
    loss_of = LOSSES[data.loss]
    update = optimizer_of(data, net.parameters(), **options)
    source = itertools.cycle([(tensor_of(x, mirrored, as_image), target_of(data, y, mirrored)) for x, y in data.batches(batch)])

    def loss(x, y):
        return loss_of(net(x), y)

    if COMPILE:
        loss = torch.compile(loss)
    take_update = torch.compile(update.step) if compiled_update else update.step

    def step():
        x, y = next(source)
        update.zero_grad(set_to_none=True)
        loss(x, y).backward()
        take_update()

    return step, lambda: None


def predict_way(workload, batch, as_image, frozen=False):
    data = data_of(workload, workload["model"])
    net, mirrored = network_module(data, False, False, as_image)
    call = net.eval()
    x = tensor_of(data.x[:batch], mirrored, as_image)
    with torch.no_grad():
        if COMPILE:
            import torch._inductor.config as inductor

            inductor.freezing = True
            call = torch.compile(call)
        if frozen:
            call = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))

    def step():
        with torch.inference_mode() if not COMPILE else torch.no_grad():
            return call(x)

    return step, lambda: None


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
        if COMPILE and workload["small"]:
            yield f"{form}compiled optimizer", lambda: train_way(workload, batch, as_image, {"foreach": True}, True)


def check(workload, steps, samples):
    data = data_of(workload, workload["plainModel"])
    losses = None
    if workload["trainBatch"] is not None:
        net, mirrored = network_module(data, False, is_logits(data), False)
        update, losses = optimizer_of(data, net.parameters(), foreach=True), []
        for x, y in itertools.islice(itertools.cycle(data.batches(workload["trainBatch"])), steps):
            update.zero_grad(set_to_none=True)
            loss = LOSSES[data.loss](net(tensor_of(x, mirrored, False)), target_of(data, y, mirrored))
            loss.backward()
            update.step()
            losses.append(loss.item())
    net, mirrored = network_module(data, False, False, False)
    with torch.inference_mode():
        outputs = net.eval()(tensor_of(data.x[:samples], mirrored, False))
    return checked(losses, array_of(outputs, mirrored))


if __name__ == "__main__":
    run_peer(f"PyTorch {torch.__version__}", make, check, torch._dynamo.reset if COMPILE else lambda: None)

"""PyTorch. KCC_BENCH_MODE is eager or compile. Its quickest optimizer is chosen: one op per tensor, or lists of tensors."""
import itertools
import os

import torch
import torch.nn.functional as F

from peer import THREADS, data_of, run_peer

torch.set_num_threads(THREADS)
COMPILE = os.environ.get("KCC_BENCH_MODE") == "compile"


class Net(torch.nn.Module):
    def __init__(self, workload, weights, dropout):
        super().__init__()
        sizes = workload["sizes"]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.rate = dropout
        with torch.no_grad():
            for layer, kernel, bias in zip(self.layers, weights[0::2], weights[1::2]):
                layer.weight.copy_(torch.from_numpy(kernel.T))
                layer.bias.copy_(torch.from_numpy(bias))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
            if self.rate:
                x = F.dropout(x, self.rate, self.training)
        return self.layers[-1](x)


def batches_of(workload):
    weights, batches = data_of(workload)
    categorical = workload["loss"] == "categorical_crossentropy"
    tensors = [(torch.from_numpy(x), torch.from_numpy(y.argmax(1)) if categorical else torch.from_numpy(y)) for x, y in batches]
    return weights, tensors


def objective(workload):
    return F.cross_entropy if workload["loss"] == "categorical_crossentropy" else F.binary_cross_entropy_with_logits


def optimizer(net, foreach):
    return torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-7, foreach=foreach)


def train_way(workload, foreach, compiled_update):
    weights, batches = batches_of(workload)
    net, loss_of = Net(workload, weights, workload["dropout"]), objective(workload)
    update = optimizer(net, foreach)

    def loss(x, y):
        return loss_of(net(x), y)

    if COMPILE:
        loss = torch.compile(loss)
    take_update = torch.compile(update.step) if compiled_update else update.step
    source = itertools.cycle(batches)

    def step():
        x, y = next(source)
        update.zero_grad(set_to_none=True)
        loss(x, y).backward()
        take_update()

    return step, lambda: None


def predict_way(workload):
    weights, batches = batches_of(workload)
    net = Net(workload, weights, 0).eval()
    finish = (lambda z: F.softmax(z, 1)) if workload["output"] == "softmax" else torch.sigmoid

    def call(x):
        return finish(net(x))

    if COMPILE:
        import torch._inductor.config as inductor

        inductor.freezing = True
        call = torch.compile(call)
    x = batches[0][0][:1].contiguous()

    def step():
        with torch.inference_mode() if not COMPILE else torch.no_grad():
            return call(x)

    return step, lambda: None


def make(kind, workload):
    if kind == "predict":
        yield "", lambda: predict_way(workload)
        return
    yield "foreach", lambda: train_way(workload, True, False)
    if COMPILE:
        yield "compiled optimizer", lambda: train_way(workload, True, True)
    else:
        yield "for each tensor", lambda: train_way(workload, False, False)


def check(workload, steps):
    weights, batches = batches_of(workload)
    net, loss_of = Net(workload, weights, 0), objective(workload)
    update, losses = optimizer(net, True), []
    for x, y in batches[:steps]:
        update.zero_grad(set_to_none=True)
        loss = loss_of(net(x), y)
        loss.backward()
        update.step()
        losses.append(loss.item())
    return losses


run_peer(f"PyTorch {torch.__version__}", make, check)

"""A network's facts as a PyTorch module, as one would write it by hand: straight-line code, images in channels_last.

PyTorch pads both sides of an axis alike. Where Keras' `same` needs one more behind (windows of 3 at every second place of an
even axis), the whole network runs on mirrored images with mirrored kernels: the same results, and no copy with a border.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx, nn

OVERWRITABLE = ("Conv2D", "Conv1D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "Dense", "BatchNormalization", "Add")


def window_padding(layer, size, stride, before):
    """Padding of an axis for each side: `before` of an explicit layer, and what `same` needs. True if the axis is to be mirrored."""
    paddings, mirrored = [], False
    for axis, (k, s) in enumerate(zip(size, stride)):
        into, out = layer["inputShape"][axis], layer["outputShape"][axis]
        total = max((out - 1) * s + k - into, 0) if layer["config"]["padding"] == "same" else 0
        mirrored |= total % 2 == 1
        paddings.append((total + 1) // 2 + before[axis])
    return paddings, mirrored


def is_mirrored(network):
    """Whether some window needs more padding behind than before."""
    for layer in network["layers"]:
        config = layer["config"]
        size, stride = config.get("kernel_size") or config.get("pool_size"), config.get("strides")
        if not size or layer["kind"] == "Conv2DTranspose":
            continue
        if window_padding(layer, size, stride, [0] * len(size))[1]:
            return True
    return False


class Builder:
    """Adds one layer after another to an fx graph, whose code is then plain Python."""

    def __init__(self, data, dropout, logits, sequence_as_image):
        self.network, self.weights = data.network, data.weights
        self.dropout, self.logits, self.as_image = dropout, logits, sequence_as_image
        self.mirrored = is_mirrored(self.network)
        self.root, self.graph = nn.Module(), fx.Graph()
        self.values, self.padding, self.flattened = {}, {}, {}
        layers = self.network["layers"]
        self.uses = {}
        for name in (name for layer in layers for name in layer["inputs"]):
            self.uses[name] = self.uses.get(name, 0) + 1
        self.known = {layer["name"] for layer in layers}

    def build(self):
        start = self.graph.placeholder("x")
        layers = self.network["layers"]
        for layer in layers:
            inputs = [self.values[name] if name in self.known else start for name in layer["inputs"]]
            self.layer = layer
            # Overwriting is allowed where nobody else reads: behind a product, a normalisation or a sum.
            source = next((other for other in layers if other["name"] == layer["inputs"][0]), None)
            self.in_place = source is not None and self.uses[source["name"]] == 1 and source["kind"] in OVERWRITABLE
            value = getattr(self, layer["kind"])(layer["config"], *inputs)
            self.values[layer["name"]] = value
        self.graph.output(value)
        return fx.GraphModule(self.root, self.graph)

    def module(self, module, x):
        name = f"m{len(list(self.root.children()))}"
        self.root.add_module(name, module)
        return self.graph.call_module(name, (x,))

    def call(self, function, *args, **kwargs):
        return self.graph.call_function(function, args, kwargs)

    def method(self, name, *args, **kwargs):
        return self.graph.call_method(name, args, kwargs)

    @property
    def arrays(self):
        return self.weights[self.layer["name"]]

    def is_last(self):
        return self.layer is self.network["layers"][-1]

    def activated(self, name, x, in_place=True):
        match name:
            case "linear":
                return x
            case "relu":
                return self.module(nn.ReLU(inplace=in_place), x)
            case "softmax":
                return x if self.is_last() and self.logits else self.call(torch.softmax, x, 1)
            case "sigmoid":
                return x if self.is_last() and self.logits else self.call(torch.sigmoid, x)
        raise NotImplementedError(name)

    # Products

    def kernel_of(self, array):
        """Keras' (space..., in, out) as a tensor (out, in, space...), mirrored where the images are."""
        kernel = torch.from_numpy(np.moveaxis(array, (-1, -2), (0, 1)).copy())
        return kernel.flip(tuple(range(2, kernel.ndim))) if self.mirrored else kernel

    def fill(self, module, kernel, bias):
        with torch.no_grad():
            assert module.weight.shape == kernel.shape, (self.layer["name"], module.weight.shape, kernel.shape)
            module.weight.copy_(kernel)
            if bias is not None:
                module.bias.copy_(torch.from_numpy(bias))
        return module

    def convolution(self, x, kernel, bias, size, stride, groups=1):
        before = self.padding.get(self.layer["inputs"][0], [0] * len(size))
        paddings, _ = window_padding(self.layer, size, stride, before)
        for axis, (p, k, s) in enumerate(zip(paddings, size, stride)):
            # inputShape already has an explicit border
            into = self.layer["inputShape"][axis] - 2 * before[axis]
            assert (into + 2 * p - k) // s + 1 == self.layer["outputShape"][axis], self.layer["name"]
            assert not self.mirrored or p > 0 or (into - k) % s == 0, self.layer["name"]
        channels, outputs = kernel.shape[1] * groups, kernel.shape[0]
        if len(size) == 1 and self.as_image:
            size, stride, paddings, kernel = [1, *size], [1, *stride], [0, *paddings], kernel.unsqueeze(2)
        kind = nn.Conv1d if len(size) == 1 else nn.Conv2d
        return self.module(self.fill(kind(channels, outputs, tuple(size), tuple(stride), tuple(paddings), groups=groups, bias=bias is not None), kernel, bias), x)

    def bias_of(self, config):
        return self.arrays[-1] if config["use_bias"] else None

    def Conv2D(self, config, x):
        y = self.convolution(x, self.kernel_of(self.arrays[0]), self.bias_of(config), config["kernel_size"], config["strides"])
        return self.activated(config["activation"], y)

    Conv1D = Conv2D

    def depthwise(self, config, x):
        channels = self.layer["inputShape"][-1]
        kernel = self.kernel_of(np.moveaxis(self.arrays[0], -1, -2))
        return self.convolution(x, kernel, self.bias_of(config) if self.layer["kind"] == "DepthwiseConv2D" else None, config["kernel_size"], config["strides"], channels)

    def DepthwiseConv2D(self, config, x):
        return self.activated(config["activation"], self.depthwise(config, x))

    def SeparableConv2D(self, config, x):
        kernel = self.kernel_of(self.arrays[1])
        bias = self.bias_of(config)
        pointwise = self.fill(nn.Conv2d(kernel.shape[1], kernel.shape[0], 1, bias=bias is not None), kernel, bias)
        return self.activated(config["activation"], self.module(pointwise, self.depthwise(config, x)))

    def Conv2DTranspose(self, config, x):
        kernel = self.kernel_of(self.arrays[0])  # Keras' (h, w, out, in) becomes (in, out, h, w)
        size, stride = config["kernel_size"], config["strides"]
        into, out = self.layer["inputShape"][:2], self.layer["outputShape"][:2]
        total = [(i - 1) * s + k - o for i, o, k, s in zip(into, out, size, stride)]
        padding = [math.ceil(t / 2) for t in total]
        extra = [o - ((i - 1) * s + k - 2 * p) for i, o, k, s, p in zip(into, out, size, stride, padding)]
        module = nn.ConvTranspose2d(kernel.shape[0], kernel.shape[1], tuple(size), tuple(stride), tuple(padding), tuple(extra))
        return self.activated(config["activation"], self.module(self.fill(module, kernel, self.bias_of(config)), x))

    def Dense(self, config, x):
        kernel = self.arrays[0]
        space = self.flattened.get(self.layer["inputs"][0]) if self.mirrored else None
        if space is not None:  # rows are places of a mirrored image
            kernel = kernel.reshape(*space, -1)[::-1, ::-1].reshape(kernel.shape)
        bias = self.bias_of(config)
        following = next((layer for layer in self.network["layers"] if layer["inputs"] == [self.layer["name"]]), None)
        if self.mirrored and following is not None and following["kind"] == "Reshape":
            space = following["outputShape"]
            kernel = kernel.reshape(-1, *space)[:, ::-1, ::-1].reshape(kernel.shape)
            bias = bias.reshape(space)[::-1, ::-1].reshape(-1)
        module = nn.Linear(kernel.shape[0], kernel.shape[1], bias=bias is not None)
        bias = None if bias is None else np.ascontiguousarray(bias)
        return self.activated(config["activation"], self.module(self.fill(module, torch.from_numpy(np.ascontiguousarray(kernel.T)), bias), x))

    # Normalisation, pooling, shapes

    def BatchNormalization(self, config, x):
        gamma, beta, mean, variance = (torch.from_numpy(a) for a in self.arrays)
        module = nn.BatchNorm2d(len(gamma), eps=config["epsilon"], momentum=1 - config["momentum"])
        with torch.no_grad():
            module.running_mean.copy_(mean)
            module.running_var.copy_(variance)
            module.bias.copy_(beta)
        return self.module(self.fill(module, gamma, None), x)

    def ZeroPadding2D(self, config, x):
        """Becomes the padding of what follows. A maximum takes it for -infinity: the same behind a relu."""
        (top, bottom), (left, right) = config["padding"]
        assert top == bottom and left == right
        self.padding[self.layer["name"]] = [top, left]
        return x

    def MaxPooling2D(self, config, x):
        size, stride = config["pool_size"], config["strides"]
        before = self.padding.get(self.layer["inputs"][0], [0] * len(size))
        paddings, _ = window_padding(self.layer, size, stride, before)
        assert not self.mirrored or all((i + 2 * p - k) % s == 0 for i, p, k, s in zip(self.layer["inputShape"], paddings, size, stride))
        if len(size) == 1 and self.as_image:
            size, stride, paddings = [1, *size], [1, *stride], [0, *paddings]
        kind = nn.MaxPool1d if len(size) == 1 else nn.MaxPool2d
        return self.module(kind(tuple(size), tuple(stride), tuple(paddings)), x)

    MaxPooling1D = MaxPooling2D

    def GlobalAveragePooling2D(self, config, x):
        return self.call(torch.mean, x, (2, 3))

    def GlobalAveragePooling1D(self, config, x):
        return self.call(torch.mean, x, (2, 3) if self.as_image else 2)

    def Flatten(self, config, x):
        self.flattened[self.layer["name"]] = self.layer["inputShape"]
        return self.method("flatten", self.method("permute", x, 0, 2, 3, 1), 1)

    def Reshape(self, config, x):
        return self.method("permute", self.method("reshape", x, -1, *config["target_shape"]), 0, 3, 1, 2)

    def Dropout(self, config, x):
        return self.module(nn.Dropout(config["rate"]), x) if self.dropout else x

    # Elements

    def Activation(self, config, x):
        return self.activated(config["activation"], x, self.in_place)

    def ReLU(self, config, x):
        assert config["max_value"] == 6 and config["negative_slope"] == 0 and config["threshold"] == 0
        return self.module(nn.ReLU6(inplace=self.in_place), x)

    def LeakyReLU(self, config, x):
        return self.call(F.leaky_relu, x, float(config["alpha"]))

    def PReLU(self, config, x):
        module = nn.PReLU(len(self.arrays[0]))
        return self.module(self.fill(module, torch.from_numpy(self.arrays[0]), None), x)

    def Add(self, config, *values):
        return self.call(torch.add, *values)

    def Subtract(self, config, *values):
        return self.call(torch.sub, *values)

    def Multiply(self, config, *values):
        return self.call(torch.mul, *values)

    def Maximum(self, config, *values):
        return self.call(torch.maximum, *values)

    def Average(self, config, a, b):
        return self.call(torch.lerp, a, b, 0.5)

    def Concatenate(self, config, *values):
        return self.call(torch.cat, list(values), 1)


def network_module(data, dropout, logits, sequence_as_image):
    """The module, and whether its images are mirrored. logits: without the softmax or sigmoid at the end."""
    builder = Builder(data, dropout, logits, sequence_as_image)
    return builder.build().to(memory_format=torch.channels_last), builder.mirrored


def tensor_of(array, mirrored, sequence_as_image):
    """Samples as PyTorch wants them: (n, c, h, w) in channels_last, sequences (n, c, l) or as images of one row."""
    x = torch.from_numpy(np.ascontiguousarray(array))
    if x.ndim == 4:
        return (x.flip(1, 2) if mirrored else x).contiguous().permute(0, 3, 1, 2)
    if x.ndim == 3:
        return x.unsqueeze(1).permute(0, 3, 1, 2) if sequence_as_image else x.permute(0, 2, 1).contiguous()
    return x


def array_of(tensor, mirrored):
    """Keras' layout of what a network gives."""
    if tensor.ndim != 4:
        return tensor.numpy()
    tensor = tensor.permute(0, 2, 3, 1)
    return (tensor.flip(1, 2) if mirrored else tensor).contiguous().numpy()

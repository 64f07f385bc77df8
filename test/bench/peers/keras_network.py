"""A network's facts as a Keras 3 model of the functional API."""
import keras

# Options of Keras 2 that mean the same in Keras 3.
KEPT = (
    "filters", "units", "kernel_size", "pool_size", "strides", "padding", "activation", "use_bias", "rate", "axis", "momentum", "epsilon",
    "target_shape", "max_value", "depth_multiplier",
)


def layer_of(facts, dropout):
    kind, config = facts["kind"], facts["config"]
    options = {name: config[name] for name in KEPT if name in config}
    if kind == "Dropout":
        options["rate"] = config["rate"] if dropout else 0.0
    if kind == "LeakyReLU":
        options["negative_slope"] = config["alpha"]
    if kind == "DepthwiseConv2D":
        options.pop("filters", None)
    return getattr(keras.layers, kind)(**options)


class KerasTwoRMSprop(keras.optimizers.RMSprop):
    """Keras 3 adds epsilon under the root, Keras 2 and kcc behind it: only so can losses be compared. It is not timed."""

    def update_step(self, gradient, variable, learning_rate):
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * keras.ops.square(gradient))
        self.assign_sub(variable, learning_rate * gradient / (keras.ops.sqrt(velocity) + self.epsilon))


def optimizer_of(data, as_keras_two):
    name, config = data.optimizer
    names = ("learning_rate", "momentum", "nesterov", "rho", "epsilon", "beta_1", "beta_2")
    kind = KerasTwoRMSprop if as_keras_two and name == "RMSprop" else getattr(keras.optimizers, name)
    given = {option: config[option] for option in names if option in config}
    return kind(**{option: value if isinstance(value, bool) else float(value) for option, value in given.items()})


def model_of(data, dropout=False, jit=False, as_keras_two=False):
    """The model with its weights, compiled if the network is trained."""
    inputs = keras.Input(tuple(data.network["inputShape"]))
    values, layers = {}, []
    for facts in data.network["layers"]:
        given = [values.get(name, inputs) for name in facts["inputs"]]
        layer = layer_of(facts, dropout)
        values[facts["name"]] = layer(given if len(given) > 1 else given[0])
        layers.append((layer, data.weights[facts["name"]]))
    model = keras.Model(inputs, values[data.network["layers"][-1]["name"]])
    for layer, weights in layers:
        if weights:
            layer.set_weights(weights)
    if data.network["training"] is not None:
        model.compile(optimizer=optimizer_of(data, as_keras_two), loss=data.loss, jit_compile=jit)
    return model

"""Keras 3 on the backend of KERAS_BACKEND, tensorflow or jax, through the step function that its `fit` runs."""
import itertools
import os

BACKEND = os.environ["KERAS_BACKEND"]
if BACKEND == "tensorflow":
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["KCC_BENCH_THREADS"]))
    tf.config.threading.set_inter_op_parallelism_threads(int(os.environ["KCC_BENCH_THREADS"]))
    VERSION = tf.__version__
else:
    import jax

    VERSION = jax.__version__

import keras

from peer import data_of, run_peer


class KerasTwoRMSprop(keras.optimizers.RMSprop):
    """Keras 3 adds epsilon under the root, Keras 2 and kcc behind it: only so can losses be compared. It is not timed."""

    def update_step(self, gradient, variable, learning_rate):
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * keras.ops.square(gradient))
        self.assign_sub(variable, learning_rate * gradient / (keras.ops.sqrt(velocity) + self.epsilon))


def model_of(workload, weights, dropout, jit, optimizer=keras.optimizers.RMSprop):
    layers = [keras.layers.Input((workload["sizes"][0],))]
    for size in workload["sizes"][1:-1]:
        layers.append(keras.layers.Dense(size, activation="relu"))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(workload["sizes"][-1], activation=workload["output"]))
    model = keras.Sequential(layers)
    model.compile(optimizer=optimizer(learning_rate=1e-3, rho=0.9, epsilon=1e-7), loss=workload["loss"], jit_compile=jit)
    model.set_weights(weights)
    return model


def tensorflow_iterator_way(workload, jit):
    """The function of `fit` as it is, on the quickest pipeline: batches made beforehand."""
    weights, batches = data_of(workload)
    model = model_of(workload, weights, workload["dropout"], jit)
    x, y = (tf.stack(part) for part in zip(*batches))
    iterator = iter(tf.data.Dataset.from_tensor_slices((x, y)).repeat().prefetch(8))
    model.make_train_function()
    last = [None]

    def step():
        last[0] = model.train_function(iterator)

    return step, lambda: last[0]["loss"].numpy()


def tensorflow_direct_way(workload, jit):
    """`train_step` as one graph, called on tensors: no pipeline at all."""
    weights, batches = data_of(workload)
    model = model_of(workload, weights, workload["dropout"], jit)
    source = itertools.cycle([(tf.constant(x), tf.constant(y)) for x, y in batches])
    model.optimizer.build(model.trainable_variables)
    train = tf.function(lambda x, y: model.train_step((x, y)), jit_compile=jit)
    last = [None]

    def step():
        last[0] = train(*next(source))

    return step, lambda: last[0]["loss"].numpy()


def jax_way(workload):
    weights, batches = data_of(workload)
    model = model_of(workload, weights, workload["dropout"], True)
    model.optimizer.build(model.trainable_variables)
    source = itertools.cycle([(jax.device_put(x), jax.device_put(y)) for x, y in batches])
    model.make_train_function()

    def values(variables):
        return [v.value for v in variables]

    state = [(values(model.trainable_variables), values(model.non_trainable_variables), values(model.optimizer.variables), values(model.metrics_variables))]
    last = [None]

    def one_batch():
        yield next(source)

    def step():
        last[0], state[0] = model.train_function(state[0], one_batch())

    return step, lambda: jax.block_until_ready(state[0])


def predict_way(workload):
    weights, batches = data_of(workload)
    model = model_of(workload, weights, 0, True)
    x = batches[0][0][:1]
    if BACKEND == "tensorflow":
        call, x = tf.function(lambda a: model(a, training=False), jit_compile=True), tf.constant(x)
        return (lambda: call(x).numpy()), lambda: None
    parts = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
    call, x = jax.jit(lambda t, n, a: model.stateless_call(t, n, a, training=False)[0]), jax.device_put(x)
    return (lambda: jax.block_until_ready(call(*parts, x))), lambda: None


def make(kind, workload):
    if kind == "predict":
        yield "jitted call", lambda: predict_way(workload)
    elif BACKEND == "tensorflow":
        for name, jit in (("XLA", True), ("graph", False)):
            yield f"fit's function, {name}", lambda jit=jit: tensorflow_iterator_way(workload, jit)
            yield f"train_step, {name}", lambda jit=jit: tensorflow_direct_way(workload, jit)
    else:
        yield "fit's function", lambda: jax_way(workload)


def check(workload, steps):
    weights, batches = data_of(workload)
    model = model_of(workload, weights, 0, False, KerasTwoRMSprop)
    losses = []
    for x, y in batches[:steps]:
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
    return losses


run_peer(f"Keras {keras.__version__} on {'TensorFlow' if BACKEND == 'tensorflow' else 'JAX'} {VERSION}", make, check)

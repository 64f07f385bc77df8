"""Keras 3 on the backend of KERAS_BACKEND, tensorflow or jax, through the step function that its `fit` runs."""
import itertools
import os

BACKEND = os.environ["KERAS_BACKEND"]
if BACKEND == "tensorflow":
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["KCC_BENCH_THREADS"]))
    tf.config.threading.set_inter_op_parallelism_threads(int(os.environ["KCC_BENCH_THREADS"]))
    VERSION = tf.__version__
else:
    import jax

    VERSION = jax.__version__

import keras
import numpy as np

from keras_network import model_of
from peer import checked, data_of, run_peer


def trained(workload, jit):
    data = data_of(workload, workload["model"])
    return data, model_of(data, dropout=True, jit=jit)


def tensorflow_iterator_way(workload, batch, jit):
    """The function of `fit` as it is, on the quickest pipeline: batches made beforehand."""
    data, model = trained(workload, jit)
    x, y = (tf.stack(part) for part in zip(*data.batches(batch)))
    iterator = iter(tf.data.Dataset.from_tensor_slices((x, y)).repeat().prefetch(8))
    model.make_train_function()
    last = [None]

    def step():
        last[0] = model.train_function(iterator)

    return step, lambda: last[0]["loss"].numpy()


def tensorflow_direct_way(workload, batch, jit):
    """`train_step` as one graph, called on tensors: no pipeline at all."""
    data, model = trained(workload, jit)
    source = itertools.cycle([(tf.constant(x), tf.constant(y)) for x, y in data.batches(batch)])
    model.optimizer.build(model.trainable_variables)
    train = tf.function(lambda x, y: model.train_step((x, y)), jit_compile=jit)
    last = [None]

    def step():
        last[0] = train(*next(source))

    return step, lambda: last[0]["loss"].numpy()


def jax_way(workload, batch):
    data, model = trained(workload, True)
    model.optimizer.build(model.trainable_variables)
    source = itertools.cycle([(jax.device_put(x), jax.device_put(y)) for x, y in data.batches(batch)])
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


def tensorflow_predict_way(workload, batch, how):
    """how: `XLA`, `graph`, or `frozen`, a graph whose weights are constants."""
    data = data_of(workload, workload["model"])
    model, x = model_of(data), tf.constant(data.x[:batch])
    call = tf.function(lambda a: model(a, training=False), jit_compile=how == "XLA", input_signature=[tf.TensorSpec(x.shape, x.dtype)])
    if how == "frozen":
        frozen = convert_variables_to_constants_v2(call.get_concrete_function())
        return (lambda: frozen(x)[0].numpy()), lambda: None
    return (lambda: call(x).numpy()), lambda: None


def jax_predict_way(workload, batch):
    data = data_of(workload, workload["model"])
    model, x = model_of(data), jax.device_put(data.x[:batch])
    parts = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
    call = jax.jit(lambda t, n, a: model.stateless_call(t, n, a, training=False)[0])
    if os.environ.get("KCC_BENCH_DEVICE", "cpu") != "cpu":  # samples come from the host, and results are wanted there
        return (lambda: np.asarray(call(*parts, jax.device_put(data.x[:batch])))), lambda: None
    return (lambda: jax.block_until_ready(call(*parts, x))), lambda: None


def make(kind, workload, batch):
    if BACKEND == "jax":
        yield ("fit's function", lambda: jax_way(workload, batch)) if kind == "train" else ("jitted call", lambda: jax_predict_way(workload, batch))
    elif kind == "predict":
        for how in ("frozen", "XLA") if not workload["small"] else ("frozen", "XLA", "graph"):
            yield how, lambda: tensorflow_predict_way(workload, batch, how)
    else:
        for name, jit in (("graph", False), ("XLA", True)):
            yield f"train_step, {name}", lambda: tensorflow_direct_way(workload, batch, jit)
            if workload["small"]:
                yield f"fit's function, {name}", lambda: tensorflow_iterator_way(workload, batch, jit)


def check(workload, steps, samples):
    data = data_of(workload, workload["plainModel"])
    model = model_of(data, as_keras_two=True)
    outputs = np.asarray(model.predict_on_batch(data.x[:samples]))
    if workload["trainBatch"] is None:
        return checked(None, outputs)
    losses = []
    for x, y in itertools.islice(itertools.cycle(data.batches(workload["trainBatch"])), steps):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
    return checked(losses, outputs)


run_peer(f"Keras {keras.__version__} on {'TensorFlow' if BACKEND == 'tensorflow' else 'JAX'} {VERSION}", make, check, keras.backend.clear_session)

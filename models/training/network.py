"""The networks: 32-48-24-1, ReLU, each with its own seed; their mean is the logit of activity within
ten minutes.

Weights are trained on a coarse binary grid (straight-through rounding), inputs lie on one too:
all sums in a network then are exact in float32, whatever order a runtime or processor adds them
in. The networks' logits are added one after the other and quartered, where float32 leaves no choice
either. A replay is the same to the bit on a Raspberry Pi with tflite-runtime and on a PC with ai-edge-litert.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf
from msgspec import Struct

from gateway.engine.features import FEATURES
from gateway.engine.stopping import ROWS
from models.training.corpus import Examples

NETWORKS = 4
"""One more than the prototype's three, for a mean that divides exactly."""
HIDDEN = (48, 24)
WEIGHT_GRIDS = (32.0, 16.0, 16.0)
"""Weights of a layer are multiples of one over this."""
INPUT_GRID = 64.0
EXACT_SUM = 2.0**24
"""float32 holds every whole number up to here."""
tf.config.threading.set_intra_op_parallelism_threads(1)  # folds are trained side by side
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()

BATCH = 2048
EPOCHS = 14
RATE = 6e-3
DECAY = 2e-3
NOISE = 0.02


class Network:
    """Three dense layers as plain variables."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        sizes = (FEATURES, *HIDDEN, 1)
        self.weights = [
            tf.Variable(chance.normal(0, np.sqrt(2 / a), (a, b)).astype("float32"))
            for a, b in pairwise(sizes)
        ]
        self.biases = [tf.Variable(np.zeros(b, "float32")) for b in sizes[1:]]

    def logits(self, inputs: Any) -> Any:
        """Logits of a batch, with weights and biases rounded to their grids."""
        layers = rounded(self)
        for index, (weight, bias) in enumerate(layers):
            inputs = tf.matmul(inputs, weight) + bias
            if index < len(layers) - 1:
                inputs = tf.nn.relu(inputs)
        return inputs[:, 0]


def rounded(network: Network) -> list[tuple[Any, Any]]:
    """Weights and biases on their grids; gradients pass as if nothing had been rounded."""
    layers, grid = [], INPUT_GRID
    for weight, bias, step in zip(network.weights, network.biases, WEIGHT_GRIDS, strict=True):
        grid *= step
        layers.append((_on_grid(weight, step), _on_grid(bias, grid)))
    return layers


def _on_grid(values: Any, grid: float) -> Any:
    return values + tf.stop_gradient(tf.round(values * grid) / grid - values)


def train(examples: Examples, seed: int, epochs: int = EPOCHS) -> Network:
    """Weighted cross-entropy, AdamW, one rise and fall of the learning rate."""
    tf.keras.utils.set_random_seed(seed)
    inputs, labels, weights = arrays(examples)
    weights = weights / weights.mean()
    network = Network(seed)
    steps = epochs * -(-len(labels) // BATCH)
    variables = [*network.weights, *network.biases]
    optimizer = tf.keras.optimizers.AdamW(
        tf.keras.optimizers.schedules.CosineDecay(
            RATE / 25, steps * 7 // 10, warmup_target=RATE, warmup_steps=steps * 3 // 10
        ),
        weight_decay=DECAY,
    )
    optimizer.build(variables)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=(
            tf.TensorSpec((None, FEATURES)),
            tf.TensorSpec((None,)),
            tf.TensorSpec((None,)),
        )
    )
    def step(x: Any, y: Any, w: Any) -> Any:
        with tf.GradientTape() as tape:
            noisy = x + tf.random.normal(tf.shape(x), stddev=NOISE)
            loss = tf.nn.sigmoid_cross_entropy_with_logits(y, network.logits(noisy))
            loss = tf.reduce_mean(loss * w)
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    chance = np.random.default_rng(seed)
    for _ in range(epochs):
        order = chance.permutation(len(labels))
        for first in range(0, len(order), BATCH):
            picked = order[first : first + BATCH]
            step(inputs[picked], labels[picked], weights[picked])
    return network


class Ensemble(Struct, frozen=True):
    """Networks that have seen the same rows in another order from another beginning."""

    networks: tuple[Network, ...]

    def logits(self, inputs: Any) -> Any:
        """The mean of the networks' logits of a batch."""
        return mean([network.logits(inputs) for network in self.networks])


def train_all(examples: Examples, seed: int) -> Ensemble:
    """NETWORKS networks with the seeds from ``seed`` on."""
    return Ensemble(tuple(train(examples, each) for each in seeds(seed)))


def seeds(seed: int) -> range:
    return range(seed, seed + NETWORKS)


def mean(logits: Sequence[Any]) -> Any:
    """One addition after the other, so that no runtime has an order to choose."""
    return reduce(operator.add, logits) * np.float32(1.0 / NETWORKS)


def loss(ensemble: Ensemble, examples: Examples) -> float:
    """Weighted cross-entropy in nats per ten-minute row."""
    inputs, labels, weights = arrays(examples)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels, ensemble.logits(inputs)).numpy()
    return float((each * weights).sum() / weights.sum())


def exact_share(ensemble: Ensemble, examples: Examples) -> float:
    """Share of rows whose sums are all exact in float32, in any order of adding."""
    values, _, _ = arrays(examples)
    values = values.astype("float64")
    good = np.ones(len(values), bool)
    for network in ensemble.networks:
        good &= _exact(network, values)
    return float(good.mean())


def _exact(network: Network, values: Any) -> Any:
    good = np.ones(len(values), bool)
    grid = INPUT_GRID
    for (weight, bias), step in zip(rounded(network), WEIGHT_GRIDS, strict=True):
        w, b = weight.numpy().astype("float64"), bias.numpy().astype("float64")
        grid *= step
        good &= ((np.abs(values) @ np.abs(w) + np.abs(b)) * grid < EXACT_SUM).all(1)
        values = np.maximum(values @ w + b, 0.0)
    return good


def export(ensemble: Ensemble) -> bytes:
    """The networks as one float32 TFLite file for ROWS rows at a time.

    No optimisation: quantised exports of today's converter do not load in tflite-runtime 2.14.
    """
    networks = [[(w.numpy(), b.numpy()) for w, b in rounded(one)] for one in ensemble.networks]

    @tf.function(input_signature=(tf.TensorSpec((ROWS, FEATURES)),))  # type: ignore[untyped-decorator]
    def infer(inputs: Any) -> Any:
        return tf.reshape(mean([_constant(layers, inputs) for layers in networks]), (ROWS,))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([infer.get_concrete_function()])
    return bytes(converter.convert())


def _constant(layers: Sequence[tuple[Any, Any]], values: Any) -> Any:
    for index, (weight, bias) in enumerate(layers):
        values = tf.matmul(values, tf.constant(weight)) + tf.constant(bias)
        if index < len(layers) - 1:
            values = tf.nn.relu(values)
    return values


def arrays(examples: Examples) -> tuple[Any, Any, Any]:
    """Numpy views of examples."""
    inputs = np.frombuffer(examples.inputs, "float32").reshape(-1, FEATURES)
    labels = np.frombuffer(examples.labels, "float32")
    weights = np.frombuffer(examples.weights, "float32")
    return inputs, labels, weights

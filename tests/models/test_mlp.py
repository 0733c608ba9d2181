"""The network against the textbook: forward, backward, initialisation, dropout."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnlab.models.losses import resolve_loss
from nnlab.models.mlp import ACTIVATIONS, MLP
from nnlab.rules import ACTIVATIONS as ACTIVATION_NAMES
from nnlab.rules import LOSSES


def make_mlp(**changes) -> MLP:
    arguments = {
        "in_features": 5,
        "out_features": 3,
        "hidden_sizes": [7, 6],
        "activation": "relu",
        "dropout": 0.0,
        "batch_norm": False,
        "layer_norm": False,
    }
    return MLP(**{**arguments, **changes})


# The textbook's derivatives, written out; each takes the weighted input z.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def sigmoid(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z))


def softplus(z: Tensor) -> Tensor:
    return torch.log(1 + torch.exp(z))


def mish_derivative(z: Tensor) -> Tensor:
    t = torch.tanh(softplus(z))
    return t + z * (1 - t**2) * sigmoid(z)


VALUES = {
    "relu": lambda z: torch.where(z > 0, z, torch.zeros_like(z)),
    "sigmoid": sigmoid,
    "tanh": lambda z: (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z)),
    "leaky_relu": lambda z: torch.where(z > 0, z, 0.01 * z),
    "elu": lambda z: torch.where(z > 0, z, torch.exp(z) - 1),
    "selu": lambda z: SELU_SCALE * torch.where(z > 0, z, SELU_ALPHA * (torch.exp(z) - 1)),
    "gelu": lambda z: z * (1 + torch.erf(z / math.sqrt(2))) / 2,
    "silu": lambda z: z * sigmoid(z),
    "mish": lambda z: z * torch.tanh(softplus(z)),
    "identity": lambda z: z,
}
DERIVATIVES = {
    "relu": lambda z: (z > 0).to(z),
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "tanh": lambda z: 1 - torch.tanh(z) ** 2,
    "leaky_relu": lambda z: torch.where(z > 0, torch.ones_like(z), torch.full_like(z, 0.01)),
    "elu": lambda z: torch.where(z > 0, torch.ones_like(z), torch.exp(z)),
    "selu": lambda z: (
        SELU_SCALE * torch.where(z > 0, torch.ones_like(z), SELU_ALPHA * torch.exp(z))
    ),
    "gelu": lambda z: (
        (1 + torch.erf(z / math.sqrt(2))) / 2 + z * torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    ),
    "silu": lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z)),
    "mish": mish_derivative,
    "identity": torch.ones_like,
}


def smoothed(o: Tensor, t: Tensor, smoothing: float) -> Tensor:
    return t[:, None].to(o) * (1 - smoothing) + smoothing / 2


def binary_cross_entropy_gradient(o: Tensor, t: Tensor, smoothing: float) -> Tensor:
    return (sigmoid(o) - smoothed(o, t, smoothing)) / len(o)


def binary_mse_gradient(o: Tensor, t: Tensor, smoothing: float) -> Tensor:
    p = sigmoid(o)
    return 2 * (p - smoothed(o, t, smoothing)) * p * (1 - p) / len(o)


def smoothed_one_hot(o: Tensor, t: Tensor, smoothing: float) -> Tensor:
    one_hot = torch.zeros_like(o)
    one_hot[torch.arange(len(t)), t] = 1
    return one_hot * (1 - smoothing) + smoothing / o.shape[1]


def softmax(o: Tensor) -> Tensor:
    e = torch.exp(o - o.max(dim=1, keepdim=True).values)
    return e / e.sum(dim=1, keepdim=True)


def cross_entropy_gradient(o: Tensor, t: Tensor, smoothing: float) -> Tensor:
    return (softmax(o) - smoothed_one_hot(o, t, smoothing)) / len(o)


def multiclass_mse_gradient(o: Tensor, t: Tensor, smoothing: float) -> Tensor:
    p = softmax(o)
    g = 2 * (p - smoothed_one_hot(o, t, smoothing)) / o.numel()
    return p * (g - (g * p).sum(dim=1, keepdim=True))


# Derivative of each loss by the outputs o.
LOSS_GRADIENTS = {
    ("binary", "binary_cross_entropy"): binary_cross_entropy_gradient,
    ("binary", "mse"): binary_mse_gradient,
    ("multiclass", "cross_entropy"): cross_entropy_gradient,
    ("multiclass", "mse"): multiclass_mse_gradient,
    ("regression", "mse"): lambda o, t, _: 2 * (o - t[:, None]) / len(o),
    ("regression", "mae"): lambda o, t, _: torch.sign(o - t[:, None]) / len(o),
    ("regression", "huber"): lambda o, t, _: torch.clamp(o - t[:, None], -1, 1) / len(o),
}


def backpropagate(
    mlp: MLP, x: Tensor, activation: str, output_gradient
) -> list[tuple[Tensor, Tensor]]:
    """Gradients of each layer's weights and biases by the chain rule, written out."""
    layers = [layer for layer in mlp.layers if isinstance(layer, nn.Linear)]
    a, inputs, weighted = x, [], []
    for i, layer in enumerate(layers):
        inputs.append(a)
        z = a @ layer.weight.T + layer.bias
        weighted.append(z)
        a = z if i == len(layers) - 1 else VALUES[activation](z)
    delta = output_gradient(a)
    gradients = []
    for i in reversed(range(len(layers))):
        # The outer product of error and input, summed over the rows.
        gradients.append((delta.T @ inputs[i], delta.sum(dim=0)))
        if i > 0:
            delta = (delta @ layers[i].weight) * DERIVATIVES[activation](weighted[i - 1])
    return gradients[::-1]


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
@pytest.mark.parametrize(("task", "loss"), list(LOSS_GRADIENTS))
def test_backpropagation_is_the_chain_rule(activation: str, task: str, loss: str) -> None:
    torch.manual_seed(0)
    smoothing = 0.0 if task == "regression" else 0.1
    mlp = make_mlp(activation=activation, out_features=3 if task == "multiclass" else 1).double()
    for parameter in mlp.parameters():
        nn.init.normal_(parameter, std=0.7)
    x = torch.randn(11, 5, dtype=torch.float64)
    targets = {
        "binary": torch.randint(0, 2, (11,)),
        "multiclass": torch.randint(0, 3, (11,)),
        "regression": 3 * torch.randn(11, dtype=torch.float64),
    }[task]

    resolve_loss(task, loss)(mlp(x), targets, smoothing, "mean").backward()

    with torch.no_grad():
        expected = backpropagate(
            mlp, x, activation, lambda o: LOSS_GRADIENTS[task, loss](o, targets, smoothing)
        )
    layers = [layer for layer in mlp.layers if isinstance(layer, nn.Linear)]
    for layer, (weight, bias) in zip(layers, expected, strict=True):
        torch.testing.assert_close(layer.weight.grad, weight, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(layer.bias.grad, bias, rtol=1e-9, atol=1e-12)


def test_every_activation_and_loss_has_its_derivative_here() -> None:
    assert set(ACTIVATION_NAMES) == set(ACTIVATIONS) == set(DERIVATIVES) == set(VALUES)
    assert set(LOSS_GRADIENTS) == {(task, name) for task, names in LOSSES.items() for name in names}


@pytest.mark.parametrize(
    ("activation", "variance"),
    [
        *((name, 2 / 400) for name in ("relu", "elu", "gelu", "silu", "mish")),
        ("leaky_relu", 2 / (1 + 0.01**2) / 400),
        ("selu", 1 / 400),
        *((name, 2 / (400 + 300)) for name in ("sigmoid", "tanh", "identity")),
    ],
)
def test_initial_weights_have_the_variance_that_suits_the_activation(
    activation: str, variance: float
) -> None:
    torch.manual_seed(0)
    mlp = make_mlp(in_features=400, hidden_sizes=[300], activation=activation)
    hidden, output = (layer for layer in mlp.layers if isinstance(layer, nn.Linear))
    assert hidden.weight.var().item() == pytest.approx(variance, rel=0.02)
    assert output.weight.var().item() == pytest.approx(2 / (300 + 3), rel=0.1)
    assert not hidden.bias.any()
    assert not output.bias.any()


def test_no_hidden_layer_is_linear_regression() -> None:
    mlp = make_mlp(hidden_sizes=[])
    x = torch.randn(4, 5)
    (layer,) = (layer for layer in mlp.layers if isinstance(layer, nn.Linear))
    torch.testing.assert_close(mlp(x), F.linear(x, layer.weight, layer.bias))


def test_rows_of_any_shape_are_flattened() -> None:
    mlp = make_mlp(in_features=12)
    x = torch.randn(4, 3, 4)
    torch.testing.assert_close(mlp(x), mlp(x.view(4, 12)))


def test_dropout_is_off_in_evaluation() -> None:
    mlp, without = make_mlp(dropout=0.5), make_mlp()
    without.load_state_dict(dict(zip(without.state_dict(), mlp.state_dict().values(), strict=True)))
    x = torch.randn(8, 5)
    assert torch.equal(mlp.eval()(x), without(x))
    assert not torch.equal(mlp.train()(x), without(x))


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_dropout_zeroes_its_share_and_keeps_the_mean(dropout: float) -> None:
    torch.manual_seed(0)
    mlp = make_mlp(hidden_sizes=[2000], activation="identity", dropout=dropout)
    *hidden, _ = mlp.layers
    x = torch.randn(1, 5)
    with torch.no_grad():
        before = nn.Sequential(*hidden[:-1])(x)
        after = hidden[-1](before.expand(200, -1))
    zeroed = after == 0
    assert zeroed.float().mean().item() == pytest.approx(dropout, abs=0.005)
    survivors = after[~zeroed]
    torch.testing.assert_close(
        survivors, (before.expand(200, -1) / (1 - dropout))[~zeroed], rtol=1e-4, atol=1e-6
    )


def test_alpha_dropout_keeps_the_mean_and_variance_of_selu_units() -> None:
    torch.manual_seed(0)
    mlp = make_mlp(activation="selu", dropout=0.2)
    (dropout, _) = (layer for layer in mlp.layers if isinstance(layer, nn.AlphaDropout))
    z = torch.randn(1_000_000)
    assert dropout(z).mean().item() == pytest.approx(0, abs=0.01)
    assert dropout(z).var().item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("norm", "dim"), [("batch_norm", 0), ("layer_norm", 1)])
def test_normalised_layers_have_mean_zero_and_variance_one(norm: str, dim: int) -> None:
    torch.manual_seed(0)
    mlp = make_mlp(hidden_sizes=[50], **{norm: True})
    flatten, linear, normalise, *_ = mlp.layers
    z = normalise(linear(flatten(torch.randn(64, 5))))
    torch.testing.assert_close(z.mean(dim), torch.zeros_like(z.mean(dim)), atol=1e-5, rtol=0)
    variance = z.var(dim, correction=0)
    torch.testing.assert_close(variance, torch.ones_like(variance), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": 1.0}, r"dropout must be a number in \[0, 1\), got dropout=1.0"),
        ({"dropout": -0.1}, "dropout must be"),
        (
            {"hidden_sizes": [0]},
            r"hidden_sizes must be a list such as \[256,128\], each a whole number of at least 1",
        ),
        ({"activation": "rleu"}, "activation must be one of relu, .*did you mean 'relu'"),
        ({"batch_norm": True, "layer_norm": True}, "exclude each other"),
    ],
)
def test_arguments_out_of_range_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_mlp(**changes)

"""The multilayer perceptron, in torch alone."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from nnlab.models.dropout import Dropout
from nnlab.rules import check

_LEAKY_SLOPE = 0.01

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": lambda: nn.LeakyReLU(_LEAKY_SLOPE),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "identity": nn.Identity,
}


class MLP(nn.Module):
    """A multilayer perceptron: `(batch, *input_shape)` to `(batch, out_features)`.

    Each hidden layer is linear, normalisation, activation, dropout, in that order; the output
    layer is linear. With `hidden_sizes=[]` that is linear or logistic regression. The outputs are
    raw: logits for classes.

    Weights start with a variance that suits the activation, biases at zero:

    - relu, leaky_relu, elu, gelu, silu, mish: He normal (He et al. 2015, "Delving Deep into
      Rectifiers", section 2.2), variance 2 / fan_in (for leaky_relu 2 / ((1 + slope^2) fan_in)).
    - selu: LeCun normal, variance 1 / fan_in, and alpha dropout (Klambauer et al. 2017,
      "Self-Normalizing Neural Networks", sections 2 and 3).
    - sigmoid, tanh, identity, and every output layer: Glorot uniform (Glorot & Bengio 2010,
      "Understanding the difficulty of training deep feedforward neural networks", eq. 16),
      variance 2 / (fan_in + fan_out).

    Args:
        in_features: Number of inputs once a row is flattened, >= 1.
        out_features: Number of output units, >= 1.
        hidden_sizes: Units of each hidden layer, from input to output; may be empty.
        activation: A key of `ACTIVATIONS`.
        dropout: Probability in [0, 1) that a hidden unit is zeroed in training.
        batch_norm: Normalise each hidden unit over the batch (Ioffe & Szegedy 2015).
        layer_norm: Normalise each row over the layer's units (Ba et al. 2016).

    Raises:
        ValueError: An argument is outside its range, or both normalisations are on.

    >>> import torch
    >>> mlp = MLP(in_features=64, out_features=10, hidden_sizes=[32], activation="relu",
    ...           dropout=0.1, batch_norm=False, layer_norm=False)
    >>> mlp(torch.zeros(5, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        *,
        in_features: int,
        out_features: int,
        hidden_sizes: Sequence[int],
        activation: str,
        dropout: float,
        batch_norm: bool,
        layer_norm: bool,
    ) -> None:
        super().__init__()
        check(
            hidden_sizes=hidden_sizes,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
            layer_norm=layer_norm,
        )
        if batch_norm and layer_norm:
            raise ValueError(
                "batch_norm and layer_norm exclude each other, got both true; set one to false"
            )
        layers: list[nn.Module] = [nn.Flatten()]
        for size in hidden_sizes:
            # Batch normalisation subtracts the mean, so a bias before it would do nothing.
            linear = nn.Linear(in_features, size, bias=not batch_norm)
            _initialize(linear, activation)
            layers.append(linear)
            if batch_norm:
                layers.append(nn.BatchNorm1d(size))
            if layer_norm:
                layers.append(nn.LayerNorm(size))
            layers.append(ACTIVATIONS[activation]())
            if dropout > 0:
                layers.append(
                    nn.AlphaDropout(dropout) if activation == "selu" else Dropout(dropout)
                )
            in_features = size
        output = nn.Linear(in_features, out_features)
        _initialize(output, "identity")
        self.layers = nn.Sequential(*layers, output)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(batch, *input_shape)` to raw outputs `(batch, out_features)`."""
        outputs: Tensor = self.layers(x)
        return outputs


def _initialize(linear: nn.Linear, activation: str) -> None:
    if activation in ("sigmoid", "tanh", "identity"):
        nn.init.xavier_uniform_(linear.weight)
    elif activation == "selu":
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
    else:
        slope = _LEAKY_SLOPE if activation == "leaky_relu" else 0.0
        nn.init.kaiming_normal_(linear.weight, a=slope, nonlinearity="leaky_relu")
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)

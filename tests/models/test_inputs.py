"""How a row enters the network, against formulas written out in numpy."""

import numpy as np
import pytest
import torch

from nnlab.models.inputs import PeriodicEmbedding, TabularInputs


def make_inputs(**changes) -> TabularInputs:
    torch.manual_seed(0)
    plain = {
        "in_features": 7,
        "numbers": 3,
        "category_sizes": [4, 6],
        "numeric_embedding": "periodic",
        "embedding_size": 5,
    }
    return TabularInputs(**{**plain, **changes})


def make_rows(rows: int = 20) -> torch.Tensor:
    """Three numbers, two inputs that pass, codes in [0, 4) and in [0, 6)."""
    generator = torch.Generator().manual_seed(1)
    codes = [torch.randint(0, size, (rows, 1), generator=generator) for size in (4, 6)]
    flags = torch.randint(0, 2, (rows, 2), generator=generator)
    return torch.cat([torch.randn(rows, 3, generator=generator), flags, *codes], dim=1)


def waves_of(embedding: PeriodicEmbedding, x: np.ndarray) -> np.ndarray:
    """`(x, W cos(2 pi (w x + b)) + c)` for one number at a time."""
    w, phase, weight, bias = (
        getattr(embedding, name).detach().double().numpy()
        for name in ("frequency", "phase", "weight", "bias")
    )
    rows = []
    for row in x:
        parts = []
        for i, number in enumerate(row):
            # The phase is 2 pi b.
            wave = np.cos(2 * np.pi * (w[i] * number + phase[i] / (2 * np.pi)))
            parts += [number, *(weight[i].T @ wave + bias[i, 0])]
        rows.append(parts)
    return np.array(rows)


def test_numbers_become_themselves_and_waves_of_themselves() -> None:
    torch.manual_seed(0)
    embedding = PeriodicEmbedding(numbers=3)
    x = torch.randn(10, 3) * 2
    np.testing.assert_allclose(
        embedding(x).detach().numpy(), waves_of(embedding, x.double().numpy()), atol=1e-5
    )


def test_waves_begin_as_the_paper_draws_them() -> None:
    torch.manual_seed(0)
    embedding = PeriodicEmbedding(numbers=1000)
    assert embedding.frequency.shape == (1000, 16)
    assert embedding.frequency.std().item() == pytest.approx(0.1, rel=0.05)
    assert embedding.frequency.mean().item() == pytest.approx(0, abs=0.005)
    for values, bound in (
        (embedding.phase, np.pi),
        (embedding.weight, 1 / 4),
        (embedding.bias, 1 / 4),
    ):
        assert values.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert values.std().item() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_each_number_has_weights_of_its_own() -> None:
    embedding = PeriodicEmbedding(numbers=2)
    first, second = embedding(torch.full((1, 2), 0.7)).chunk(2, dim=1)
    assert not torch.equal(first[:, 1:], second[:, 1:])


@pytest.mark.parametrize("numeric_embedding", [None, "periodic"])
def test_a_row_is_its_numbers_what_passes_and_its_embeddings(numeric_embedding) -> None:
    inputs = make_inputs(numeric_embedding=numeric_embedding)
    torch.nn.init.normal_(inputs.categories.weight)
    x = make_rows()
    table = inputs.categories.weight.detach().numpy()
    numbers = x[:, :3].double().numpy()
    expected = np.concatenate(
        [
            waves_of(inputs.numeric, numbers) if numeric_embedding else numbers,
            x[:, 3:5].numpy(),
            table[:4][x[:, 5].int().numpy()],
            table[4:][x[:, 6].int().numpy()],
        ],
        axis=1,
    )
    np.testing.assert_allclose(inputs(x).detach().numpy(), expected, atol=1e-5)
    assert inputs.out_features == expected.shape[1]


@pytest.mark.parametrize(
    ("changes", "out_features"),
    [
        ({"numbers": 0, "in_features": 4}, 2 + 2 * 5),
        ({"category_sizes": [], "in_features": 5}, 3 * 4 + 2),
        ({"in_features": 5}, 3 * 4 + 2 * 5),
        ({"embedding_size": 1}, 3 * 4 + 2 + 2),
        ({"numeric_embedding": None, "category_sizes": [4], "in_features": 4}, 3 + 5),
    ],
)
def test_any_part_may_be_absent(changes: dict, out_features: int) -> None:
    inputs = make_inputs(**changes)
    x = torch.zeros(6, changes.get("in_features", 7))
    assert inputs(x).shape == (6, inputs.out_features) == (6, out_features)
    assert not inputs.is_identity


@pytest.mark.parametrize("numeric_embedding", [None, "periodic"])
def test_where_nothing_is_embedded_rows_pass_as_they_are(numeric_embedding) -> None:
    numbers = 0 if numeric_embedding else 3
    inputs = make_inputs(
        numbers=numbers, category_sizes=[], in_features=5, numeric_embedding=numeric_embedding
    )
    assert inputs.is_identity
    assert inputs.out_features == 5
    assert list(inputs.parameters()) == []
    x = torch.randn(4, 5)
    assert torch.equal(inputs(x), x)


def test_other_and_missing_categories_begin_at_zero_and_the_others_do_not() -> None:
    weight = make_inputs().categories.weight
    is_zero = (weight == 0).all(dim=1)
    assert is_zero.tolist() == [True, True, False, False, True, True, *[False] * 4]


def test_gradient_flows_to_every_parameter_and_to_no_code_that_is_absent() -> None:
    inputs = make_inputs()
    x = make_rows()
    x[:, 5] = torch.tensor([2.0, 1.0] * 10)
    inputs(x).square().sum().backward()
    for name, parameter in inputs.named_parameters():
        if name != "categories.weight":
            assert (parameter.grad != 0).all(), name
    used = torch.zeros(10, dtype=torch.bool)
    used[[1, 2, *(4 + x[:, 6].long()).tolist()]] = True
    inputs.zero_grad()
    inputs(x).sum().backward()
    assert torch.equal((inputs.categories.weight.grad != 0).all(dim=1), used)
    assert (inputs.categories.weight.grad[~used] == 0).all()


def test_gradient_flows_to_the_numbers() -> None:
    x = make_rows().requires_grad_()
    assert torch.autograd.gradcheck(PeriodicEmbedding(numbers=3).double(), x[:4, :3].double())
    make_inputs()(x).sum().backward()
    assert (x.grad[:, :5] != 0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numeric_embedding": "fourier"}, "numeric_embedding must be one of periodic or null"),
        ({"embedding_size": 0}, "embedding_size must be a whole number of at least 1"),
    ],
)
def test_arguments_out_of_range_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_inputs(**changes)

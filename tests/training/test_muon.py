import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from echo.training.muon import Muon, orthogonalise


def test_agrees_with_torchs_muon():
    torch.manual_seed(0)
    ours = [nn.Parameter(torch.randn(shape) * 0.1) for shape in ((8, 8), (24, 8), (8, 24), (8, 8))]
    theirs = copy.deepcopy(ours)
    optimizers = Muon(ours, lr=0.02, weight_decay=0.1), torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1)
    for _ in range(4):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0.004)  # theirs iterates in bfloat16


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_singular_values_come_near_one(rows, columns, seed):
    matrices = torch.randn(3, rows, columns, generator=torch.Generator().manual_seed(seed))
    values = torch.linalg.svdvals(orthogonalise(matrices, iterations=9))
    assert values.max() < 1.3
    before = torch.linalg.svdvals(matrices)
    grown = values[before > 0.05 * before.max()]
    assert grown.min() > 0.6


@given(st.integers(1, 10), st.integers(1, 30), st.booleans(), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_is_the_quintic_of_the_singular_values_whatever_the_shape(short, long, tall, seed):
    """Long, square and tall matrices alike: the same polynomial, five times, of singular values in double precision."""
    matrices = torch.randn(2, short, long, generator=torch.Generator().manual_seed(seed))
    matrices = matrices.mT if tall else matrices
    left, values, right = torch.linalg.svd(matrices.double(), full_matrices=False)
    values = values / values.norm(dim=1, keepdim=True)
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    torch.testing.assert_close(orthogonalise(matrices).double(), left * values[:, None] @ right, rtol=1e-3, atol=1e-3)


def test_takes_matrices_only():
    with pytest.raises(ValueError, match=r"Muon takes matrices, got a parameter of shape \(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1)

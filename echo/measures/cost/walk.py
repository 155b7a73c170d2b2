"""A walk through the model on the meta device: shapes are real, numbers are not, so any size walks in a second.

Arithmetic is counted where torch's functions are called, in closed form from the operands' sizes (``FORMULAS``):
2 k FLOPs for each number of a product over k terms. What backward will cost is known there too: a product of two
operands is one more product of the same size for each operand that needs a gradient. So a frozen weight, a history
that is written without gradients or a memory that detaches is counted as what it is, whatever the row. Element-wise
work is not counted; it is bound by memory traffic, not by arithmetic.

Memory is followed where tensors are made (below autograd): the bytes of all storages alive at once, at their highest.
Autocast does nothing on the meta device, so ``Walk`` does what it does: operands of products become bfloat16, and the
casts of weights are kept for the forward pass. Attention is walked as a flash kernel: it keeps its operands, its
output and one number a query, and never the matrix of scores.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import _engine_run_backward
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def linear_flops(x: Tensor, weight: Tensor, *_: object) -> int:
    """Product of x (..., k) and weight (n, k)."""
    return 2 * x.numel() * weight.shape[0]


def convolution_flops(out: Tensor, weight: Tensor) -> int:
    """Each number of ``out`` sums over a kernel: weight (out, in / groups, *kernel)."""
    return 2 * out.numel() * weight[0].numel()


def matmul_flops(a: Tensor, b: Tensor, out: Tensor) -> int:
    """Product of a (..., m, k) and b (..., k, n) or (k,)."""
    return 2 * out.numel() * a.shape[-1]


def attention_flops(query: Tensor, key: Tensor, value: Tensor) -> int:
    """Scores and their weighted sum: query (..., S, d), key and value (..., L, d)."""
    rows = query.numel() // query.shape[-1]
    return 2 * rows * key.shape[-2] * (query.shape[-1] + value.shape[-1])


LINEAR = {functional.linear}
CONVOLUTION = {functional.conv1d, functional.conv2d, functional.conv3d, torch.conv1d, torch.conv2d, torch.conv3d}
MATMUL = {torch.matmul, torch.bmm, torch.mm, Tensor.matmul, Tensor.bmm, Tensor.mm, Tensor.__matmul__}
ATTENTION = {functional.scaled_dot_product_attention}
PRODUCTS = LINEAR | CONVOLUTION | MATMUL | ATTENTION


@dataclass(frozen=True)
class Tally:
    """FLOPs of one walk. recomputed: of forward work that checkpointing repeats in the backward pass."""

    forward: int = 0
    backward: int = 0
    recomputed: int = 0

    @property
    def total(self) -> int:
        """Forward, backward and recomputed FLOPs together."""
        return self.forward + self.backward + self.recomputed


@dataclass
class Product:
    """One product: its FLOPs, how often it runs, and the number of the node that autograd made for it, if any."""

    flops: Tally
    node: int | None
    times: int = 1


class Walk(TorchFunctionMode):
    """Counts arithmetic into ``tally``, and casts products' operands to bfloat16 if asked to.

    On the meta device attention is replaced by ``FlashShapes``; elsewhere every function runs as it is.
    """

    def __init__(self, precision: str = "fp32") -> None:
        super().__init__()
        self.products: list[Product] = []
        self.bf16 = precision == "bf16"
        self.in_backward = self._checkpointed = False
        self.casts: dict[int, Tensor] = {}
        self.casts_have_gradients = torch.is_grad_enabled()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in PRODUCTS:
            return func(*args, **kwargs)
        if self.bf16:
            args = tuple(self._cast(value) for value in args)
            kwargs = {name: self._cast(value) for name, value in kwargs.items()}
        named = dict(zip(("input", "weight"), args, strict=False)) | kwargs
        if func in ATTENTION:
            operands: list[Any] = [
                kwargs.get(name, args[i] if i < len(args) else None) for i, name in enumerate(("query", "key", "value"))
            ]
            query, key, value = operands
            if query.is_meta:
                out = FlashShapes.apply(query, key, value)
            else:
                out = func(*args, **kwargs)
            # Two products, each with two operands: scores of query and key, then their sum over value.
            half = attention_flops(query, key, value) // 2
            scores = query.requires_grad or key.requires_grad
            grads = query.requires_grad + key.requires_grad + value.requires_grad + scores
            self._count(out, 2 * half, grads * half)
            return out
        out = func(*args, **kwargs)
        if func in MATMUL:
            first, second = args
            flops = matmul_flops(first, second, out)
        else:
            first, second = named["input"], named["weight"]
            flops = linear_flops(first, second) if func in LINEAR else convolution_flops(out, second)
        self._count(out, flops, (first.requires_grad + second.requires_grad) * flops)
        return out

    def _count(self, out: Tensor, forward: int, backward: int) -> None:
        if self.in_backward:  # known in advance, by ``recomputing``
            return
        if out.grad_fn is None:
            self.products.append(Product(Tally(forward), None))
        else:
            flops = Tally(forward, backward, forward * self._checkpointed)
            self.products.append(Product(flops, out.grad_fn._sequence_nr()))

    def tally(self, loss: Tensor | None = None) -> Tally:
        """FLOPs so far. Backward reaches, and recomputes, what ``loss`` depends on, and nothing without a loss."""
        reached = _nodes(loss) if loss is not None else set()
        live = [product for product in self.products if product.node in reached]
        return Tally(
            sum(product.times * product.flops.forward for product in self.products),
            sum(product.times * product.flops.backward for product in live),
            sum(product.times * product.flops.recomputed for product in live),
        )

    def _cast(self, value: Any) -> Any:
        if not isinstance(value, Tensor) or value.dtype != torch.float32:
            return value
        if not (value.is_leaf and value.requires_grad) or self.in_backward:
            return value.to(torch.bfloat16)
        if self.casts_have_gradients != torch.is_grad_enabled():
            # The objective drops the casts of the writes before the last, which have no gradients (``objective``).
            self.casts.clear()
            self.casts_have_gradients = torch.is_grad_enabled()
        if id(value) not in self.casts:
            self.casts[id(value)] = value.to(torch.bfloat16)
        return self.casts[id(value)]

    @contextmanager
    def recomputing(self, active: bool) -> Iterator[None]:
        """Forward work within is done once more in the backward pass, if ``active``."""
        self._checkpointed = active
        yield
        self._checkpointed = False

    def cast_bytes(self) -> int:
        """Bytes of the weights' casts that are kept now."""
        return sum(value.nbytes for value in self.casts.values())

    def leave_autocast(self) -> None:
        """Forget the casts; those that the backward pass needs are kept by its graph."""
        self.casts.clear()

    def backward(self, loss: Tensor) -> None:
        """Backward from ``loss``, for the bytes it holds: its arithmetic is known from the forward pass.

        Call ``leave_autocast`` first. The engine is called as ``loss.backward()`` calls it, which would first switch
        this mode off, and recomputation would go unseen.
        """
        self.in_backward = True
        _engine_run_backward((loss,), (torch.ones_like(loss),), False, False, (), accumulate_grad=True)
        self.in_backward = False


def _nodes(loss: Tensor) -> set[int]:
    """Numbers of the autograd nodes behind ``loss``."""
    found, seen, waiting = set(), set(), [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found.add(node._sequence_nr())
        waiting.extend(after for after, _ in node.next_functions)
    return found


class FlashShapes(torch.autograd.Function):
    """What a flash attention kernel keeps and returns, in shapes alone."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """An output of the query's shape; kept: operands, output and one number a query."""
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of query, key and value, in shapes alone."""
        query, key, value, _, _ = ctx.saved_tensors
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


class Alive(TorchDispatchMode):
    """Bytes of the storages made within it: ``now`` alive, and the ``peak`` so far. ``known`` tensors do not count."""

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__()
        self.now = self.peak = 0
        # Storages by address; an entry goes when its storage does, so that an address can be used again.
        self._alive: dict[int, weakref.ref] = {}
        for value in known:
            self._note(value.untyped_storage(), 0)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for value in (out,) if isinstance(out, Tensor) else tree_leaves(out):
            if isinstance(value, Tensor):
                storage = value.untyped_storage()
                self._note(storage, storage.nbytes())
        return out

    def _note(self, storage: Any, size: int) -> None:
        key = storage._cdata
        if key in self._alive:
            return

        self._alive[key] = weakref.ref(storage, partial(self._forget, key, size))
        self.now += size
        self.peak = max(self.peak, self.now)

    def _forget(self, key: int, size: int, _: weakref.ref) -> None:
        self.now -= size
        del self._alive[key]


@contextmanager
def dropped_gradients(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Gradients are forgotten as soon as they are whole: their memory is planned apart, with the weights'."""

    def forget(weight: Tensor) -> None:
        weight.grad = None

    handles = [weight.register_post_accumulate_grad_hook(forget) for weight in parameters if weight.requires_grad]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

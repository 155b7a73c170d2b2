"""The processor where there is no GPU; the GPU of the local rank where there are some."""

import torch

from echo.io.device import device, without_autocast


def test_without_a_gpu_it_is_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device() == torch.device("cpu")


def test_each_process_has_the_gpu_of_its_local_rank(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    for rank, number in (("0", 0), ("3", 3), ("5", 1)):
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert device() == torch.device("cuda", number)


def test_without_autocast_products_keep_their_precision():
    a = torch.randn(4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert (a @ a).dtype == torch.bfloat16
        with without_autocast(a.device):
            assert torch.equal(a @ a, a.mm(a)) and (a @ a).dtype == torch.float32
    with without_autocast(torch.device("meta")):
        assert (a @ a).dtype == torch.float32

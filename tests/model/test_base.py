"""The base: the backbone alone."""

from echo.model.base import BASE
from echo.model.row import Row
from tests.conftest import tiny_study


def test_the_base_keeps_nothing_and_has_the_backbone_of_every_row():
    study = tiny_study()
    base, row = Row(study, BASE), Row(study, study.profiles["ssm_blockwise"])
    assert not BASE.remembers and not list(base.memory.parameters())
    names = {name for name in row.state_dict() if name.startswith("backbone.")}
    assert set(base.state_dict()) == names
    assert all(base.state_dict()[name].equal(row.state_dict()[name]) for name in names)

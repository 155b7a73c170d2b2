"""The judges, one per module: the module's name is the value of ``evaluate.judge`` that chooses it.

A module here whose name does not begin with ``_`` is a judge. It has one function, ``build(weights: Path) -> Judge``;
``weights`` is the folder that ``echo.io.weights`` fills. The maps of a judge that measures agreements are a module
``_<judge>_maps``, which ``python -m bench.fit_judges`` writes.
"""

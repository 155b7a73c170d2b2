"""Measures of a row: images of its rollouts, probes of its memory, and the ImageNet networks behind them."""

"""Measures of a row: images of its rollouts, probes of its memory, and the networks with ImageNet weights behind them."""

"""Measures of a row's rollouts: image measures, probes of its memory, and the networks behind them."""

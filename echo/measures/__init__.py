"""Measures of a row's rollouts: image measures, what is done to its memory by probes, and the networks behind them."""

"""Measures of a rolled-out row: image measures, probes of its memory, and the networks behind them."""

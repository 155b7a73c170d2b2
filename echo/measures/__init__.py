"""Image measures of generated frames, and the networks behind them."""

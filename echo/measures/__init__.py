"""Image measures of a row's rollouts, and the networks with ImageNet weights behind them and the judge."""

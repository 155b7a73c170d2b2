"""Training of one row: objective, optimizers, several processes, checkpoints."""

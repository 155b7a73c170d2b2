"""Files, tensors, seeds and devices: what everything else writes and draws with."""

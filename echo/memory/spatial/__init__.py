"""An averaged map of the evidence, mixed into a fixed number of tokens."""

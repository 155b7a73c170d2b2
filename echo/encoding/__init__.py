"""Frames and captions to cached latents and tokens, and back."""

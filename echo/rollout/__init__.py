"""Evaluation of a trained row: cases, rollouts, and probes of its memory."""

"""Evaluation cases of a study, and the rollouts of a trained row."""

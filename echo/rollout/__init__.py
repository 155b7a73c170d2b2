"""Rollouts of a trained row: cases, sampling, the generated frames as files, and what probes of its memory say."""

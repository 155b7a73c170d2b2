"""Stages that draw from rollouts, and not from tables."""

"""A recurrence along time around chosen blocks."""

"""Older frames pooled and weighted."""

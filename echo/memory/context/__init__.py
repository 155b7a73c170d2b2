"""Raw frames in context."""

"""The video transformer that all rows share, rectified flow, and a row: the transformer with its memory."""

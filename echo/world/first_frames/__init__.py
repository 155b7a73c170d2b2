"""Lone first frames that a user brings, without truth: their list (``listing``) and their pixels (``decode``).

``write`` makes a ``pool`` of them, in which a video has one frame, the first, and the poses of a whole trajectory.
"""

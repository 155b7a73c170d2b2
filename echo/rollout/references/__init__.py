"""Reference rows, one module each: what needs no training and a trained row must beat (``echo.rollout.known``)."""

"""What a study costs, before anything is run: see ``python -m echo.cost``."""

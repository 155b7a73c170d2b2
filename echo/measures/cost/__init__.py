"""What a study costs, before anything is run: ``python -m echo plan``."""

"""Models that answer cases: examples of ``generate(case) -> frames``, each made with keywords (``--option``)."""

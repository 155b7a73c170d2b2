"""What is asked of a row: cases and branches, image measures, probes."""

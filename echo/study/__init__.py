"""The study: its configuration, its words, what a stage depends on, and the record of a run."""

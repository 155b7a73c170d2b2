"""The study: its configuration, the words it speaks in, the stages and where their results come from."""

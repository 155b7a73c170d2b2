"""What every row is handed of the past: the anchor and retrieved frames, segment by segment."""

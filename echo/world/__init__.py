"""Where frames come from: cameras, rendered rooms, recordings, and pools of videos on disk."""

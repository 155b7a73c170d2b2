"""The oracle judge: what the true returned frames, the anchor's place in them and their depth tell."""

"""Echo, the study: which memory keeps the room the same when the camera leaves and comes back."""

"""Where frames come from: cameras and their paths, rendered rooms, recordings, and the pools that both become."""

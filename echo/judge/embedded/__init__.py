"""What the embedded judges share: agreements of colour, structure and a network's features."""

"""Pictures: what the model sees of what the camera gave."""

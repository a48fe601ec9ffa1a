"""What server and clients of a model agree on: arrays in messages, metadata, refusals."""

"""Weights on disk: safetensors in and out, checksums, ONNX (torch)."""

"""What answers behind ``ActionModel``: onnxruntime, torch, a script."""

"""The numbers: configuration, ConvNeXt tower, projector and decoder (torch)."""

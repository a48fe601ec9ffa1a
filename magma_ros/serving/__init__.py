"""A model for other processes and machines: openpi's websocket protocol and OpenVLA's /act."""

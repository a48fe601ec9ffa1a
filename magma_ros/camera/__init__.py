"""Where pictures come from: cameras, files, and where a camera stands."""

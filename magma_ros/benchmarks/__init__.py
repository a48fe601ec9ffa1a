"""What ``magma bench`` measures; timings are judged here, as ratios, and never in tests."""

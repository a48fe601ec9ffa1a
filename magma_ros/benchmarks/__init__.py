"""What ``magma bench`` measures. Timings live here and not in tests: they are judged as ratios within one run."""

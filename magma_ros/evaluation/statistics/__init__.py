"""What numbers of trials can say: intervals, tests, evidence while a session runs, planning."""

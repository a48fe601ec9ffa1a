"""Faults put into real processes on purpose, and a judge that reads the fake arm's own record."""

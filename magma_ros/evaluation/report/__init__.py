"""The report of a comparison session: one HTML page that stands alone, its data beside it."""

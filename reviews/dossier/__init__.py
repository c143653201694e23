"""What the review page shows of a candidate: one question a file, rows in, plain records out."""

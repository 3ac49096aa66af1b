"""Running a study: equal stages once, cell after cell, and what lies there afterwards."""

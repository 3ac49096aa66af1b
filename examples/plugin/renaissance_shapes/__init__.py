"""Words for Renaissance: a fusion, an objective, a task and a data format."""

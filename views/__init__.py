"""The pages of the dashboard, one a file: choose, ask, draw; no calculation."""

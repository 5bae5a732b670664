"""What the app answers over plain HTTP beside its pages."""

"""Tables that go to a laboratory, and come back."""

"""What is happening?  Newest prices and their age."""

"""What do I want?  One simple real signal: the cross of two exponential averages, sized by the average true range."""

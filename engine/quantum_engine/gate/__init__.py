"""May I?  An ordered chain of pure checks, the first refusal wins.  The one stage that another (execution) imports: it is pure."""

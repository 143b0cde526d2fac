"""Hardware in the loop: the bench, and the street of simulated lamps."""

"""For scientists: find, compose, submit, follow and open orders."""

"""The parts of the model judge: whom it asks, what it says, what it may spend, how it counts."""

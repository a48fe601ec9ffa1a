"""From messages to what a policy sees: pictures, the arm, the sentence, at regular instants."""

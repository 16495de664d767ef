"""What the person in the home hears, sees and presses. Grows with prompts and lamp."""

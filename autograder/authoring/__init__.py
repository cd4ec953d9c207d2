"""From the text of a lesson to the notebook that students get, and back."""

"""What is done: stages, and the families of operators that they apply."""

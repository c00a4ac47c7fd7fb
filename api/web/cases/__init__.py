"""The pages about cases: the list, and a case as a picture, judged at any two instants that are asked for."""

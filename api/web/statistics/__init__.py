"""How well requirements are met: rates with their denominators, and the verdicts behind every figure."""

"""Waivers: who asks that a breach be excused, who answers, and what stands until when."""

"""`digest doctor`: what stands in the way of sending, or may, and what to do about it.

Each area looks at one thing and judges it. What judges takes values and gives findings; what looks
is as small as it can be.
"""

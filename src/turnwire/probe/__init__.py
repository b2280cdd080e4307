"""The probe: does a server end sessions as the closure table says? Asked from outside.

checks      what is done to a server, and what must come of it
observing   doing it, and noting what came
judging     comparing the two
running     all of it, one after the other
reports     the outcome as JSON and as JUnit's XML
"""

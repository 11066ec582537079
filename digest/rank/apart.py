"""Tell words apart of which the stemmer makes one, though they mean different things. Pure.

The words of a line mean about the same, and the first is their stem. All others that the stemmer
makes the same of as of these keep what it makes: animation is no animal, and physics not all that
is physical. The pairs are those of 1,338 papers whose words a sentence model finds the farthest
from each other, as far as somebody might type one of them as a topic.
"""

_LINES = """
    activation activations activate activated activates activating
    activity activities
    additional additionally
    animal animals
    animation animations animate animated animates animating
    attribution attributions
    authority authorities authoritative
    careful carefully
    completion completions
    comprehensive comprehensively comprehensiveness
    computer computers
    conservative conservatively
    continual continually
    continuous continuously continuity
    conversely
    conversion conversions
    critical critically criticality
    direction directions directional
    dynamics dynamical
    engine engines
    excellent excellently excellence
    experience experiences experienced experiential
    expressive expressively expressiveness expressivity
    extensive extensively
    formation formations
    graphics
    identical identically
    important importantly importance
    informal informally
    integrity
    interesting interestingly
    international internationally
    largely
    likely
    mechanism mechanisms
    minority minorities
    modulation modulations modulate modulated modulates modulating
    namely
    negative negatives negatively
    numerous
    objective objectives
    operator operators
    personality personalities
    physics physicist physicists
    positive positives positively
    practical practically practicality
    precise precisely
    probably
    production productions
    productivity productive productively
    projection projections projecting projected
    publication publications
    relation relations relational
    relativity relativistic
    responsible responsibly responsibility responsibilities
    responsive responsiveness
    severe severely severity
    specific specifically specifics
    successive successively
    suite suites
    transformer transformers
"""

STEMS = {word: line.split()[0] for line in _LINES.split("\n") for word in line.split()}

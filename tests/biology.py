"""Papers of biology, generated: five fields with words of their own, in the same sentences."""

from random import Random

from digest.model.papers import Facts

# Of each field: a topic as a reader would type it, and words that its papers use.
FIELDS = {
    "photosynthesis in chloroplasts": (
        "photosynthesis chloroplasts thylakoid stomata rubisco carbon leaf light chlorophyll "
        "photosystem canopy guard starch drought"
    ),
    "synaptic plasticity": (
        "synaptic plasticity dendritic spines hippocampus potentiation glutamate interneurons axon "
        "cortex receptor firing astrocytes memory"
    ),
    "coral bleaching": (
        "coral bleaching reef symbiont zooxanthellae heat marine thermal larvae acidification "
        "calcification polyps sponge tide"
    ),
    "CRISPR gene drive mosquitoes": (
        "crispr gene drive mosquitoes anopheles malaria vector cas9 transgenic fertility "
        "homing allele larvae parasite"
    ),
    "mitochondrial ribosome structure": (
        "mitochondrial ribosome structure cryo-electron microscopy subunit translation protein "
        "assembly rrna membrane mitochondria folding complex"
    ),
}
_SENTENCES = (
    "How {0} and {1} act on {2} is not well understood.",
    "Here we show that {0} changes with {1} in living tissue.",
    "We measured {0}, {1} and {2} over three seasons.",
    "Loss of {0} reduces {1} and delays {2}.",
    "Our results link {0} to {1} and suggest a role for {2}.",
    "Cells without {0} had less {1} than controls.",
)


def biology_papers(count: int, seed: int) -> list[tuple[str, Facts]]:
    """Return papers with the topic that each is about; the titles do not name it."""
    random = Random(seed)
    papers = []
    for number in range(count):
        topic = list(FIELDS)[number % len(FIELDS)]
        words = FIELDS[topic].split()
        # What the field is about stands in each abstract, the other words now and then.
        first, *rest = random.sample(_SENTENCES, 5)
        sentences = [first.format(*random.sample(topic.replace(" in ", " ").split() * 2, 3))]
        sentences += [sentence.format(*random.sample(words, 3)) for sentence in rest]
        title = f"A study of living systems, part {seed * 1000 + number}"
        papers.append((topic, Facts(title, abstract=" ".join(sentences))))
    return papers

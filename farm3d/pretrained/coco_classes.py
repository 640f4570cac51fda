"""Which classes of COCO the animals of a category are seen as.

*Source:* Lin et al., "Microsoft COCO: Common Objects in Context" (ECCV 2014): ten of its classes are animals.
"""

ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")

SEEN_AS = {"pig": ("dog", "cow", "sheep", "bear")}
"""Categories without a class of their own whose look-alikes are known."""


def class_names_of(category: str | None) -> tuple[str, ...]:
    """The COCO classes that an animal of this category may be seen as.

    A category that COCO knows has its own name, a pig those of its look-alikes; any other word, and `None`,
    stands for all ten animals.
    """
    name = " ".join((category or "").lower().split())
    if name in ANIMALS:
        return (name,)
    return SEEN_AS.get(name, ANIMALS)

"""Topics that no paper is about. Pure."""

# What papers are not about, as a measure: how near a model puts a topic to papers that have nothing
# to do with it depends on the model and on the papers, so that no fixed cosine would do.
OUT_OF_DOMAIN = (
    "apple pie and other desserts",
    "training for a marathon",
    "cheap flights and hotels",
    "Victorian novels",
    "house plants",
    "motorcycle repair",
    "fashion for the summer",
    "mortgage rates",
    "skin care at home",
    "fishing in lakes",
    "country songs",
    "sewing clothes by hand",
    "camping with children",
    "old coins and antiques",
    "beer brewing",
    "kitchen renovation",
    "golf courses",
    "royal families of Europe",
    "horse riding lessons",
    "what to cook for guests on a weekend",
    "places to see on a journey through Italy",
    "choosing furniture for a small living room",
    "growing up on a farm",
    "election results",
)

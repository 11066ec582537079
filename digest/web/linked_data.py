"""What search engines read of a page: schema.org as JSON-LD (https://schema.org). Pure."""

from collections.abc import Sequence
from typing import Any

from digest.model.digests import Candidate
from digest.model.page_paths import paper_path

_CONTEXT = "https://schema.org"

Data = dict[str, Any]


def item_list(candidates: Sequence[Candidate], base_url: str) -> Data:
    """Return a list of papers, in the order of the page."""
    return {
        "@context": _CONTEXT,
        "@type": "ItemList",
        "numberOfItems": len(candidates),
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "url": f"{base_url}{paper_path(candidate.key)}",
                "name": candidate.facts.title,
            }
            for position, candidate in enumerate(candidates, 1)
        ],
    }


def article(candidate: Candidate, base_url: str, image: str = "") -> Data:
    """Return a paper, with the address of its picture; what no source says is left out."""
    facts = candidate.facts
    identifiers = {"arXiv": facts.arxiv_id, "DOI": facts.doi}
    same_as = (
        f"https://arxiv.org/abs/{facts.arxiv_id}" if facts.arxiv_id else "",
        f"https://doi.org/{facts.doi}" if facts.doi else "",
        facts.page_url,
    )
    said: Data = {
        "headline": facts.title,
        "url": f"{base_url}{paper_path(candidate.key)}",
        "abstract": facts.abstract,
        "author": [{"@type": "Person", "name": name} for name in facts.authors],
        "sourceOrganization": facts.organisation
        and {"@type": "Organization", "name": facts.organisation},
        "datePublished": facts.published_on and facts.published_on.isoformat(),
        "keywords": ", ".join(facts.keywords),
        "identifier": [
            {"@type": "PropertyValue", "propertyID": kind, "value": value}
            for kind, value in identifiers.items()
            if value
        ],
        "sameAs": list(dict.fromkeys(filter(None, same_as))),
        "image": image,
        "publisher": facts.venue and {"@type": "Organization", "name": facts.venue},
    }
    kept = {name: value for name, value in said.items() if value}
    return {"@context": _CONTEXT, "@type": "ScholarlyArticle", **kept}

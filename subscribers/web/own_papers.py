"""A reader's own papers, on their preferences page: added from texts and files, and removed."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from subscribers.preferences_form import last
from subscribers.sentences import Sentence
from subscribers.tokens import Purpose
from subscribers.web.choosing import preferences_page
from subscribers.web.page_context import Context, FormFields, SentPapers

routes = APIRouter()

ALL = "all"  # stands for every paper; it is no canonical id


@routes.post("/preferences/{token}/papers")
def change(context: Context, token: str, fields: FormFields, papers: SentPapers) -> HTMLResponse:
    """Add the papers that were sent, or remove the one that the field ``remove`` names."""
    person = context.reader(Purpose.PREFERENCES, token)
    if removed := last(fields, "remove"):
        context.registry.own_papers.remove(person.id, "" if removed == ALL else removed[:80])
        return preferences_page(context, person, saved=True, opened="own-papers")
    given = context.given_papers(papers)
    if not given.papers and not given.left_out:
        return preferences_page(
            context, person, opened="own-papers", error=Sentence("there are no papers in this")
        )
    too_many = context.registry.own_papers.add(person.public_id, given.papers)
    return preferences_page(context, person, given=given, too_many=too_many, opened="own-papers")

"""Show what a language model is asked, filled with a sample."""

from collections.abc import Callable

from fastapi import APIRouter, Response

from digest.errors import TemplateError
from digest.studio.render import Pages
from digest.summaries.answers import Source
from digest.summaries.prompts import Prompts

SAMPLE = Source(
    "Robots that Tidy Up & Ask",
    "We let 12 robots tidy 40 kitchens. Robots that asked where things belong were done 30% "
    "sooner than those that guessed.",
)
TOPIC = "Roboter im Haushalt"


def prompt_routes(prompts_now: Callable[[], Prompts], pages: Pages) -> APIRouter:
    """Return ``/prompts``; ``prompts_now`` reads the templates as they are now."""
    routes = APIRouter()

    @routes.get("/prompts")
    def shown(language: str = "de") -> Response:
        prompts = prompts_now()
        try:
            asked = {
                "A sentence on a paper": ("paper", prompts.of_paper(SAMPLE, language)),
                "A topic in the language of papers": ("topic", prompts.of_topic(TOPIC, language)),
            }
            problem = ""
        except TemplateError as error:
            asked, problem = {}, str(error)
        return pages.html("prompts.html.j2", asked=asked, problem=problem, language=language)

    return routes

"""The sandbox as one web application: a mount per provider, the control endpoints, and the pages."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from sandbox import control, facebook, linkedin, openai, pages, reactions, resend, twilio, weather, x
from sandbox.faults import Refused, json_response
from sandbox.state import Sandbox


async def _answer(request: Request, problem: Exception) -> Response:
    """A refusal in its vendor's words; for a path that is not served, the sandbox's own."""
    if isinstance(problem, Refused):
        return problem.response
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    message = f"the sandbox does not serve {request.method} {request.url.path}"
    return json_response(status, {"message": message, "name": "not_found"})


def create_app() -> Starlette:
    """A sandbox with nothing in it."""
    app = Starlette(
        routes=[
            Mount("/resend", routes=resend.routes),
            Mount("/twilio", routes=twilio.routes),
            Mount("/openai", routes=openai.routes),
            Mount("/linkedin", routes=linkedin.routes),
            Mount("/x", routes=x.routes),
            Mount("/facebook", routes=facebook.routes),
            Mount("/weather", routes=weather.routes),
            Mount("/_sandbox", routes=[*control.routes, *reactions.routes]),
            *pages.routes,
        ],
        exception_handlers={Refused: _answer, HTTPException: _answer},
    )
    app.state.sandbox = Sandbox()
    return app

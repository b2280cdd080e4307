"""A server whose paths have a prefix."""

import pytest

from tests.support import serving


@pytest.mark.parametrize("query", ["", "?token=a%20b&x=%26"])
async def test_the_prefix_alone_leads_to_the_page_with_what_it_is_told(query: str) -> None:
    async with serving(root_path="/all/stt") as server, server.http() as http:
        answer = await http.get(f"/all/stt{query}")
        assert answer.status_code == 307
        assert (
            str(answer.url.join(answer.headers["location"])) == f"{http.base_url}/all/stt/{query}"
        )

"""Deliveries in the admin API."""

from tests.support import serving
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.admin.extension import admin
from turnwire.webhooks.api import deliveries
from turnwire.webhooks.deliveries import Deliveries, Parcel, PostResult


async def test_deliveries_are_listed_without_what_is_in_them_and_posted_again_at_once() -> None:
    async with serving(extend=[admin(also=[deliveries])]) as server:
        _, key = await AdminKeys(server.store.database).create("test")
        kept = Deliveries(server.store.database)
        url = "https://h.example/hook?secret"
        await kept.keep(Parcel("s", "default", url, ("Authorization", "secret"), "what was said"))
        attempt = await kept.take(not_of=())
        assert attempt is not None
        await kept.note(attempt, PostResult(500, "It answered 500.", again=True))
        async with server.http(headers={"Authorization": key}) as http:
            path = "/admin/v1/deliveries"
            answer = await http.get(path, params={"account": "default"})
            [item] = answer.json()["items"]
            assert {name: item[name] for name in ("state", "attempts", "last_status", "host")} == {
                "state": "waiting",
                "attempts": 1,
                "last_status": 500,
                "host": "h.example",
            }
            assert "secret" not in answer.text
            assert "said" not in answer.text
            assert (await http.post(f"{path}/{item['id']}/retry")).status_code == 202
            again = await kept.take(not_of=())
            assert again is not None
            await kept.note(again, PostResult(404, "It answered 404."))
            late = await http.post(f"{path}/{item['id']}/retry")
            assert (late.status_code, "not kept" in late.json()["error"]) == (409, True)
            assert (await http.post(f"{path}/x/retry")).status_code == 404
            assert (await http.get(path, params={"account": "nobody"})).status_code == 404
        async with server.http() as anybody:
            assert (await anybody.get(path)).status_code == 401

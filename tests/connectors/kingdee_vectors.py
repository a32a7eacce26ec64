"""Requests as Kingdee's own Python client 8.2.0 signs them: frozen clock, invented credentials."""

SECONDS = 1795377059
ACCT_ID = "67aa11bb22cc33"
USERNAME = "通商集成"
APP_ID = "200001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
APP_SECRET = "0123456789abcdef0123456789abcdef"
LCID = 2052

SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
PLANT = f"http://k3.example.test/k3cloud/{SERVICE}"
CLOUD = f"https://demo.ik3cloud.example.test/k3cloud/{SERVICE}"

QUERY_SIGNATURE = "NGUxMzlkMDJhNWYzN2VjMDY3ODY0MzRlOTFmOGEyZGJjZDMzZTJjOWY4OWVhNTM5YmJlOGM2NGFmMDk0OTMxNQ=="
SAVE_SIGNATURE = "MDA0NTA2YzU1MmEyMGZjYzI0NGZlMGJkNjA5YzQ2NTA0MjgzZjU1OWY4ZjIzZDBhZDA1ZDdhODNjYmIwNTExZQ=="

ORG_0 = {
    "X-Kd-Appdata": "NjdhYTExYmIyMmNjMzMs6YCa5ZWG6ZuG5oiQLDIwNTIsMA==",
    "X-Kd-Signature": "NmQzNGNkOTA4MzU3NzQ3ZjA4OGY1MDhjZDE2YmQ5YTdmYTQzOTkwNWNjZmI5"
    "MzdhYzNhZjdjYWVmYWJmMjVlMQ==",
}
ORG_100 = {
    "X-Kd-Appdata": "NjdhYTExYmIyMmNjMzMs6YCa5ZWG6ZuG5oiQLDIwNTIsMTAw",
    "X-Kd-Signature": "Njg3Y2Y0MTgzMzA0YjI5OWYyNmJmYjUxYjNhZDJiNTI3NTI3MTI4ZmFkZTdm"
    "MDc0ODU4NmYwNmE4ZTNhNjEwNQ==",
}

# (url, organisation, headers that differ from call to call)
REQUESTS = [
    (f"{PLANT}.ExecuteBillQuery.common.kdsvc", "0", ORG_0 | {"X-Api-Signature": QUERY_SIGNATURE}),
    (f"{PLANT}.Save.common.kdsvc", "0", ORG_0 | {"X-Api-Signature": SAVE_SIGNATURE}),
    (f"{CLOUD}.ExecuteBillQuery.common.kdsvc", "100", ORG_100 | {"X-Api-Signature": QUERY_SIGNATURE}),
    (f"{CLOUD}.Save.common.kdsvc", "100", ORG_100 | {"X-Api-Signature": SAVE_SIGNATURE}),
]

"""Recordings of the Chinese retail market."""

from __future__ import annotations

from source import Source


def autodl(request):
    asked = request.json
    return f"autodl/{asked['charge_type']}.{asked['page_index']}.json"


RETAIL = {
    "autodl": Source(
        {"/api/v1/machine/search": autodl},
        ("AUTODL_TOKEN",),
        options={"accept_terms": "yes"},
        pages=5,
        repeats="autodl/payg.1.json",
    ),
    "ctyun": Source({"/document/10029787/10047957": "ctyun/prices.html"}, page=True),
    "gongjiyun": Source({"/pricing": "gongjiyun/pricing.html"}, page=True),
    "omniyq": Source({"/h-col-104.html": "omniyq/prices.html"}, page=True),
}

"""Write the golden offers and reasons anew: ``python tests/adapters/write_golden_offers.py``.

Only after a wanted change; the diff is what the review reads. Names of sources: those only.
"""

import sys

from test_contract import GOLDEN, LIVE, fates, fetched, offers

from providers.offers import Rejected
from providers.price_table import write_offers

for name in sys.argv[1:] or LIVE:
    read = fetched(name)
    (GOLDEN / f"{name}.csv").write_bytes(write_offers(offers(read)))
    said = [f"{fate.row}: {fate.reason}\n" for fate in fates(read) if isinstance(fate, Rejected)]
    (GOLDEN / f"{name}.rejected.txt").write_text("".join(said))

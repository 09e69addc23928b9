"""``rentopt prices``: the price tables, their history, and the jobs that renew them."""

"""Finance: what flows of money, owning, renting, taxes and risks come to.

Nothing in this package knows schedules, offers or plans. Amounts are exact Decimals in one
currency; rates are annual effective unless a name says otherwise; see docs/finance.md.
"""

"""Plans: from a schedule and an offer book to the cheapest proven mix of renting and owning."""

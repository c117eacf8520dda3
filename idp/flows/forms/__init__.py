"""The forms of the journeys: what is asked, what is required, and where a use case's refusal is shown."""

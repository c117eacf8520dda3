"""Who may act for whom: bindings between persons and units, businesses, and grants of businesses to agents."""

"""A real small enterprise in network namespaces, and its faults, to judge diagnoses by."""

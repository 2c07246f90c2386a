"""What was promised of each business and what was kept."""

"""Decide, from a Diff and a Policy, what apply will do. The result is a Plan."""
